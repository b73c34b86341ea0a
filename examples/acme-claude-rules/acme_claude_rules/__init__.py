"""What Acme asks of code that talks to the Claude API."""
