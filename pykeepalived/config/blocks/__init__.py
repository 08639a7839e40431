"""One file a configuration block, the only word on its keywords."""
