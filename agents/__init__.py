"""Think: reasoners that weigh clues, and the verifier that checks what they write."""
