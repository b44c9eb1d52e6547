"""Emotion of the voice by a trained model: classes, or values of dimensions."""

from emer.tools.voice.speech_emotion import SpeechEmotion

__all__ = ["SpeechEmotion"]
