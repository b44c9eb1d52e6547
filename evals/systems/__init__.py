"""Systems under test, through one contract."""

__all__ = ["agent", "baselines", "multimodal_model", "oracle", "provenance",
           "reasoner_options", "registry", "system"]  # fmt: skip
