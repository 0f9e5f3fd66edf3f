"""Robot suites of an app: which recordings, which cases, and what runs them."""
