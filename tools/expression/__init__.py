"""Facial expression classes by a trained model."""

from emer.tools.expression.deepface import DeepFaceEmotion

__all__ = ["DeepFaceEmotion"]
