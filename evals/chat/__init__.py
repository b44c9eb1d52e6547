"""Talk: chat models through LangChain's interface, and replies that must fit a record."""
