"""Who is asking: credentials, who checks them, and the portal between: knows no web."""
