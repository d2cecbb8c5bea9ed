"""The measuring child: builds a model, times it, says what it saw as JSON Lines. The only place with torch.

Started by name (`python -P -m advisor.profile`), never imported: one import would pull seconds of torch into a command.
"""
