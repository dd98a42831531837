"""Request histories made acceptable to a provider before they are sent, per message form."""
