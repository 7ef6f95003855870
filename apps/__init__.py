"""The app: a study in a browser. It reads studies, and trains nothing."""
