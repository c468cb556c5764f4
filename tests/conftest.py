"""What all tests may use: weblayer's own pytest plugin, and pytest's for testing plugins.

A test that is `async def`, or is marked `weblayer`, runs on a loop of its own and may leave nothing
behind. A folder may have a `reactor` fixture of its own in place of the plugin's.
"""

pytest_plugins = ["pytester", "weblayer.loop.plugin"]
