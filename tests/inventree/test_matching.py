"""Our part for a peer's item."""

from __future__ import annotations

import pytest

from fedbot.rules.model.queries import MatchPart, PartMatch
from fedbot.rules.model.stock import PartDescription
from tests.inventree.space import Space


async def match(space: Space, name: str, ipn: str = "", *, serial: str = "", revision: str = "") -> PartMatch:
    question = MatchPart("alpha", PartDescription(name, ipn, revision=revision), serial)
    answer = await space.inventory.answer(question)
    assert isinstance(answer, PartMatch)
    return answer


async def test_the_ipn_decides_whatever_the_name(beta: Space) -> None:
    found = await match(beta, "Schraube", "m3-bolt")
    assert found.part is not None
    assert (found.part.name, found.how, found.place, found.location) == ("Bolt M3", "ipn", "Store", beta.place("Store"))


async def test_without_such_an_ipn_the_exact_name_does(beta: Space) -> None:
    found = await match(beta, "m3 NUT", "M3-NUT")
    assert found.part is not None
    assert (found.part.ipn, found.how) == ("N-M3", "name")


async def test_the_peers_own_name_for_it_can_be_recorded(beta: Space) -> None:
    row = beta.admin.rows("part/", IPN="ACR-3-CL")[0]
    beta.admin.patch(f"part/{row['pk']}/", {"keywords": "PMMA-3"})
    assert (await match(beta, "Perspex", "PMMA-3")).reason == "none"
    beta.admin.patch(f"metadata/part/{row['pk']}/", {"metadata": {"fedbot": {"aliases": {"gamma": ["PMMA-3"]}}}})
    assert (await match(beta, "Perspex", "PMMA-3")).reason == "none"
    beta.admin.patch(f"metadata/part/{row['pk']}/", {"metadata": {"fedbot": {"aliases": {"alpha": ["pmma-3"]}}}})
    found = await match(beta, "Perspex", "PMMA-3")
    assert found.part is not None
    assert (found.part.pk, found.how) == (row["pk"], "alias")


async def test_no_part_means_a_new_one_where_that_is_allowed(beta: Space) -> None:
    assert await match(beta, "Widget", "W-1") == PartMatch(
        creatable=True, category="Machines", reason="none", place="Store", location=beta.place("Store")
    )
    widget = MatchPart("alpha", PartDescription("Widget"))
    place = beta.place("Store")
    outside = PartMatch(creatable=True, category="", reason="none", place="Store", location=place)
    assert await beta.edge(new_part_category="").answer(widget) == outside
    assert await beta.edge(new_parts=False).answer(widget) == PartMatch(reason="none")


async def test_several_parts_of_one_name_need_a_persons_choice(beta: Space) -> None:
    category = beta.admin.rows("part/category/")[0]["pk"]
    beta.admin.post("part/", {"name": "Arduino Nano", "IPN": "NANO-2", "category": category})
    assert (await match(beta, "Arduino Nano")).reason == "several"


async def test_the_active_part_or_that_of_the_revision_is_used_among_several(beta: Space) -> None:
    category = beta.admin.rows("part/category/")[0]["pk"]
    other = {"name": "Arduino Nano", "IPN": "NANO-2", "revision": "B", "category": category}
    second = beta.admin.post("part/", other)["pk"]
    found = await match(beta, "Arduino Nano", revision="B")
    assert found.part is not None
    assert found.part.pk == second
    beta.admin.patch(f"part/{second}/", {"active": False})
    found = await match(beta, "Arduino Nano", revision="B")
    assert found.part is not None
    assert found.part.pk != second


@pytest.mark.parametrize(
    ("name", "serial", "reason"),
    [
        ("CAD licence", "", "virtual"),
        ("Washer M3", "7", "not-trackable"),
    ],
)
async def test_a_part_that_can_not_take_it_says_why(beta: Space, name: str, serial: str, reason: str) -> None:
    assert await match(beta, name, serial=serial) == PartMatch(reason=reason)


async def test_an_inactive_part_can_not_take_it(beta: Space) -> None:
    row = beta.admin.rows("part/", IPN="OAK-20")[0]
    beta.admin.patch(f"part/{row['pk']}/", {"active": False})
    assert (await match(beta, "Oak", "OAK-20")).reason == "inactive"


async def test_a_free_serial_number_is_fine(beta: Space) -> None:
    found = await match(beta, "Thermal camera", serial="FL-78")
    assert found.part is not None
    assert found.part.salable


async def test_the_location_is_that_of_the_part_if_it_has_one(beta: Space) -> None:
    row = beta.admin.rows("part/", IPN="M3-BOLT")[0]
    beta.admin.patch(f"part/{row['pk']}/", {"default_location": beta.place("Wood shop")})
    assert (await match(beta, "", "M3-BOLT")).place == "Wood shop"


@pytest.mark.parametrize(
    ("gave", "company", "again"),
    [("it", "theirs", True), ("nothing", "theirs", False), ("another", "theirs", False), ("it", "another", False)],
)
async def test_an_item_that_the_peer_has_from_us_matches_our_own_record(
    beta: Space, gave: str, company: str, *, again: bool
) -> None:
    camera = beta.item("THERMO-1", serial="FL-77")["pk"]
    theirs = beta.company()
    beta.admin.post("stock/assign/", {"items": [{"item": camera}], "customer": theirs, "notes": "x"})
    question = MatchPart(
        "alpha",
        PartDescription("Thermal camera"),
        "FL-77",
        mark="fed:k7m2xq4w9tz3b5c8d6f2:1:in",
        gave={"it": (camera,), "nothing": (), "another": (camera + 1,)}[gave],
        company=theirs if company == "theirs" else beta.company("Another"),
    )
    found = await beta.inventory.answer(question)
    assert isinstance(found, PartMatch)
    assert (found.again, found.serial) == ((camera, "") if again else (None, "FL-77-alpha"))
