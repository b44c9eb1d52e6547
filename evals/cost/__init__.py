"""What the llm reasoner costs: requests, tokens and shared prompt, counted exactly."""
