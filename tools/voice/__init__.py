"""Emotion of the voice by a trained model: classes, or values of dimensions."""
