"""Say what a few well chosen pictures show, and answer questions about them, with a model."""
