"""A program that asks a service, tried without it: a tree of ours answers in its place, in memory.

Run `python examples/stand_in.py`. All but the network is real: both ends, and what they say:
    Lisbon: blue
    Atlantis: GET https://weather.example/?town=Atlantis was answered with 404 Not Found
"""

from weblayer import NotFound, Resource, react
from weblayer.client import Session
from weblayer.client.error import BadStatus
from weblayer.web.testing import TreeAgent


async def sky(session, town):
    response = await session.get("https://weather.example/", params={"town": town})
    return (await response.raiseForStatus().json())["sky"]


class StandIn(Resource):
    isLeaf = True

    def render_GET(self, request):
        if request.args["town"] == ["Atlantis"]:
            raise NotFound("There is no weather below the sea.")
        return {"sky": "blue"}


async def main(reactor):
    async with Session(agent=TreeAgent(StandIn())) as session:
        print("Lisbon:", await sky(session, "Lisbon"))
        try:
            await sky(session, "Atlantis")
        except BadStatus as error:
            print("Atlantis:", error)


react(main, ())
