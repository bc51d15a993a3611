"""The initial servers: the recorded one, and three believable makerspaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fedbot_demo.inventree.records import Category, Company, Group, Location
from fedbot_demo.inventree.seeding import Seeded, Seeder
from fedbot_demo.inventree.state import Clock, system_clock
from fedbot_demo.inventree.statuses import DAMAGED, REJECTED
from fedbot_demo.inventree.versions import NEWEST, Version

APPROVERS = "fedbot approvers"
SERVICE = "fedbot"
OUTGOING = "Outgoing"
INCOMING = "Incoming"


def recorded(name: str = "Alpha Makerspace", clock: Clock = system_clock, version: Version = NEWEST) -> Seeded:
    """The recorded server (tests/replay), with the same row numbers."""
    seeder = Seeder(name, clock, version)
    everything = "view add change"
    makers = seeder.group(
        "makers", part=everything, part_category=everything, stock=everything, stock_location=everything
    )
    seeder.user("alice", makers, first_name="Alice", last_name="Test")
    seeder.user("bob", first_name="Bob", last_name="Test")
    category = seeder.category("Electronics", "Electronic things")
    screw = seeder.part("M3 screw 10mm", category=category, minimum_stock=50)
    vice = seeder.part("Workshop vice", category=category, salable=False)
    seeder.part("Firmware licence", category=category, virtual=True)
    computer = seeder.part("Raspberry Pi 4", "RPI-4", category=category, trackable=True)
    resistor = seeder.part("Resistor 10k", "RES-10K", category=category, minimum_stock=500, keywords="resistor 0805")
    seeder.state.parts.put(replace(resistor, pricing_updated=seeder.state.now))
    workshop = seeder.location("Workshop", description="main")
    shelf = seeder.location("Shelf A", workshop)
    box = seeder.location("Bin 1", shelf)
    seeder.location("Outgoing", workshop)
    customer = seeder.company("Walk-in customer", "c", is_customer=True, is_supplier=False)
    seeder.company("Acme Supplies", "s")
    seeder.stock(screw, 100, box, purchase_price="0.1")
    seeder.stock(resistor, 500, shelf, batch="LOT-42")
    seeder.stock(vice, 5, workshop)
    for serial in ("1", "2", "3"):
        seeder.stock(computer, 1, shelf, serial=serial)
    allocated = seeder.stock(resistor, 50, shelf, batch="LOT-43")
    seeder.sold(allocated, 20, customer, "seed order")
    return seeder.finished()


def bots_account(seeder: Seeder) -> None:
    """Create the bot's service account, with the least roles that it needs."""
    roles = {
        "stock": "add",
        "return_order": "add",
        "part": "view add",
        "part_category": "view",
        "stock_location": "view",
    }
    seeder.user(SERVICE, seeder.group(SERVICE, **roles), password=False, first_name="fedbot", email="")


def approvers(seeder: Seeder) -> Group:
    """Create the approvers' group."""
    return seeder.group(
        APPROVERS,
        stock="view add change",
        part="view",
        part_category="view",
        stock_location="view",
    )


def _approvers(seeder: Seeder, *names: str) -> None:
    group = approvers(seeder)
    for name in names:
        seeder.user(name.lower(), group, first_name=name)


def _customer(seeder: Seeder) -> Company:
    return seeder.company("Walk-in customer", "who pays at the counter", is_customer=True, is_supplier=False)


def alpha(name: str = "Attraktor", clock: Clock = system_clock, version: Version = NEWEST) -> Seeded:
    """Attraktor: Anna is superuser, Piet approves, Kim has no permissions on stock."""
    seeder = Seeder(name, clock, version)
    seeder.user("anna", first_name="Anna", is_staff=True, is_superuser=True)
    _approvers(seeder, "Piet")
    members = seeder.group("members", part="view", part_category="view")
    seeder.user("kim", members, first_name="Kim")
    bots_account(seeder)
    seeder.location(OUTGOING)
    seeder.location(INCOMING)
    workshop = seeder.location("Workshop")
    laser = seeder.location("Laser room")
    places = {
        "drawer": seeder.location("Drawer A3", workshop),
        "box": seeder.location("Box 7", workshop),
        "bench": seeder.location("Electronics bench", workshop),
        "cabinet": seeder.location("Cabinet L1", laser),
        "rack": seeder.location("Wood rack", laser),
    }
    _alpha_small_things(seeder, places, _customer(seeder))
    _alpha_big_things(seeder, places)
    return seeder.finished()


def _alpha_small_things(seeder: Seeder, places: dict[str, Location], customer: Company) -> None:
    fasteners = seeder.category("Fasteners", "What holds things together")
    electronics = seeder.category("Electronics", "What has a current in it")
    bolt = seeder.part("M3 bolt", "M3-BOLT", category=fasteners, minimum_stock=50, keywords="screw M3")
    cap = seeder.part("Cap screw M3×10", "M3X10", category=fasteners)
    nut = seeder.part("M3 nut", "M3-NUT", category=fasteners, keywords="nut M3 DIN 934")
    insert = seeder.part("Threaded insert M3", category=fasteners, description="For 3D prints, brass")
    computer = seeder.part("Raspberry Pi 4", "RPI-4", category=electronics, trackable=True)
    resistor = seeder.part("Resistor 10 kΩ", "RES-10K", category=electronics, keywords="0805")
    cable = seeder.part("USB-C cable 1 m", "CAB-USBC-1", category=electronics)
    board = seeder.part("Arduino Nano", category=electronics, description="ATmega328P, clone")
    seeder.stock(bolt, 120, places["drawer"])
    seeder.stock(bolt, 90, places["box"], batch="2025-11")
    seeder.stock(cap, 400, places["drawer"])
    seeder.stock(nut, 350, places["drawer"])
    seeder.stock(insert, 60, places["box"])
    for serial in ("10000000a1b2", "10000000c3d4", "10000000e5f6"):
        seeder.stock(computer, 1, places["bench"], serial=serial)
    reel = seeder.stock(resistor, 500, places["bench"], batch="LOT-42", packaging="reel")
    seeder.sold(reel, 100, customer, "Soldering workshop, Saturday")
    seeder.stock(cable, 14, places["bench"], purchase_price="3.2")
    seeder.stock(board, 6, places["bench"])


def _alpha_big_things(seeder: Seeder, places: dict[str, Location]) -> None:
    laser = seeder.category("Laser", "Optics, tubes, gas")
    printing = seeder.category("3D printing", "Nozzles and filament")
    material = seeder.category("Material", "What gets used up")
    tools = seeder.category("Tools", "What comes back")
    lens = seeder.part("Laser lens 2.0″ ZnSe", "LENS-2", category=laser, trackable=True, keywords="lens 50.8 mm")
    tube = seeder.part("CO₂ laser tube 60 W", "TUBE-60", category=laser, trackable=True)
    nozzle = seeder.part("Nozzle 0.4 mm brass", "NOZ-04", category=printing, keywords="0.4 mm nozzle MK8")
    filament = seeder.part("PLA 1.75 mm black", "PLA-175-BK", category=printing, units="kg")
    plywood = seeder.part("Birch plywood 4 mm 600 × 300", "PLY-4-BIRCH", category=material)
    alcohol = seeder.part("Isopropanol 99 %", category=material, units="l")
    vice = seeder.part("Workshop vice", category=tools, salable=False)
    seeder.part("LightBurn licence", category=tools, virtual=True)
    seeder.stock(nozzle, 25, places["box"])
    seeder.stock(filament, "7.25", places["rack"])
    seeder.stock(plywood, 38, places["rack"])
    seeder.stock(plywood, 4, places["cabinet"], status=REJECTED)
    seeder.stock(alcohol, "12.5", places["cabinet"])
    seeder.stock(vice, 2, places["bench"])
    seeder.stock(tube, 1, places["cabinet"], serial="T-2019-07", status=DAMAGED)
    seeder.stock(lens, 1, places["cabinet"], serial="0041", pk=41)
    seeder.stock(lens, 1, places["cabinet"], serial="0042", pk=42)


def beta(name: str = "Betaspace", clock: Clock = system_clock, version: Version = NEWEST) -> Seeded:
    """Betaspace: Bea is superuser, Cem and Dilek approve, Tom has no permissions."""
    seeder = Seeder(name, clock, version)
    seeder.user("bea", first_name="Bea", is_staff=True, is_superuser=True)
    _approvers(seeder, "Cem", "Dilek")
    seeder.user("tom", first_name="Tom")
    bots_account(seeder)
    seeder.location(OUTGOING)
    seeder.location(INCOMING)
    store = seeder.location("Store")
    places = {
        "laser": seeder.location("Laser room"),
        "shelf": seeder.location("Shelf 2", store),
        "crate": seeder.location("Crate C", store),
        "wood": seeder.location("Wood shop"),
    }
    _beta_small_things(seeder, places, _customer(seeder))
    _beta_big_things(seeder, places)
    return seeder.finished()


def _beta_small_things(seeder: Seeder, places: dict[str, Location], customer: Company) -> None:
    small = seeder.category("Small parts", "Screws, nuts, plugs")
    electronics = seeder.category("Electronics", "Boards and parts")
    bolt = seeder.part("Bolt M3", "M3-BOLT", category=small)
    nut = seeder.part("M3 nut", "N-M3", category=small)
    insert = seeder.part("Threaded insert M3", category=small)
    washer = seeder.part("Washer M3", "W-M3", category=small)
    resistor = seeder.part("Resistor 10k 0805", "RES-10K", category=electronics)
    board = seeder.part("Arduino Nano", category=electronics)
    camera = seeder.part("Thermal camera", "THERMO-1", category=electronics, trackable=True)
    seeder.stock(bolt, 12, places["shelf"])
    seeder.stock(nut, 900, places["shelf"])
    seeder.stock(insert, 15, places["crate"])
    seeder.stock(washer, 1000, places["shelf"], packaging="bag")
    seeder.stock(resistor, 40, places["crate"])
    boards = seeder.stock(board, 10, places["crate"])
    seeder.sold(boards, 4, customer, "Kids' course")
    seeder.stock(camera, 1, places["shelf"], serial="FL-77")


def _beta_big_things(seeder: Seeder, places: dict[str, Location]) -> None:
    machines, material, tools = _beta_categories(seeder)
    lens = seeder.part("Laser lens 2.0″ ZnSe", "LENS-2", category=machines, trackable=True)
    mirror = seeder.part("Laser mirror 25 mm Mo", "MIRROR-25", category=machines)
    nozzle = seeder.part("Nozzle 0.4 mm brass", category=machines)
    belt = seeder.part("GT2 belt 6 mm", "BELT-GT2", category=machines, units="m")
    acrylic = seeder.part("Acrylic 3 mm clear", "ACR-3-CL", category=material)
    oak = seeder.part("Oak board 20 mm", "OAK-20", category=material)
    saw = seeder.part("Table saw", category=tools, salable=False)
    seeder.part("CAD licence", category=tools, virtual=True)
    seeder.stock(mirror, 6, places["laser"])
    seeder.stock(nozzle, 3, places["crate"])
    seeder.stock(belt, "18.5", places["crate"])
    seeder.stock(acrylic, 22, places["laser"])
    seeder.stock(acrylic, 5, places["wood"])
    seeder.stock(oak, 9, places["wood"])
    seeder.stock(saw, 1, places["wood"])
    seeder.stock(lens, 1, places["laser"], serial="B-7", status=DAMAGED, pk=1206)


def _beta_categories(seeder: Seeder) -> tuple[Category, Category, Category]:
    machines = seeder.category("Machines", "Spare parts of machines")
    material = seeder.category("Material", "Sheets and boards")
    tools = seeder.category("Tools", "For use in the house")
    return machines, material, tools


def gamma(name: str = "Gammaspace", clock: Clock = system_clock, version: Version = NEWEST) -> Seeded:
    """Gammaspace, which is small: Gus is superuser, Mia approves."""
    seeder = Seeder(name, clock, version)
    seeder.user("gus", first_name="Gus", is_staff=True, is_superuser=True)
    _approvers(seeder, "Mia")
    bots_account(seeder)
    seeder.location(OUTGOING)
    seeder.location(INCOMING)
    cellar = seeder.location("Cellar")
    metal = seeder.category("Metal")
    small = seeder.category("Small metal", parent=metal)
    bolt = seeder.part("M3 bolt steel", "M3-BOLT", category=small)
    rod = seeder.part("Threaded rod M8", "ROD-M8", category=metal, units="m", keywords="screw")
    seeder.stock(bolt, 30, cellar)
    seeder.stock(bolt, 45, cellar, batch="old")
    seeder.stock(rod, "6.5", cellar)
    return seeder.finished()


SEEDS: dict[str, tuple[str, Callable[[str, Clock, Version], Seeded]]] = {
    "recorded": ("Alpha Makerspace", recorded),
    "alpha": ("Attraktor", alpha),
    "beta": ("Betaspace", beta),
    "gamma": ("Gammaspace", gamma),
}


def seed(which: str, name: str = "", clock: Clock = system_clock, version: Version = NEWEST) -> Seeded:
    """A server of `version`, filled by the seed called `which`; `name` replaces the seed's name."""
    own_name, fill = SEEDS[which]
    return fill(name or own_name, clock, version)
