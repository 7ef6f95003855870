"""The app: a study in a browser. It reads a study and trains nothing."""

OPTIONS = (
    "--theme.base=light",
    "--theme.primaryColor=#0072b2",
    "--theme.font=sans-serif",
    "--browser.gatherUsageStats=false",
    "--client.toolbarMode=minimal",
    "--server.headless=true",
    "--server.fileWatcherType=none",
)
"""What `streamlit run` is to be given beside app.py, address and port."""
