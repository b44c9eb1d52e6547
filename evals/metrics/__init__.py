"""Metrics as statistics over clips, with bootstrap intervals."""

__all__ = ["bootstrap", "calibration", "cue_overlap", "emotion_words", "faithfulness",
           "open_vocabulary", "single_label", "wheel"]  # fmt: skip
