"""What Teams and Graph send to us, over HTTP."""
