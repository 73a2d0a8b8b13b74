"""How the embedded assets were made. Runnable by anyone; nothing here is imported by the app."""
