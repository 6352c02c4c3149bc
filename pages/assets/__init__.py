"""Logo and screenshots."""
