"""See the scene: cuts, framing, people, posture, hands, light, motion."""
