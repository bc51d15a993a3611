"""/api/, /api/version/, settings and status codes: a server's information about itself."""

from __future__ import annotations

from dataclasses import replace

from fedbot_demo.inventree.access import has_role
from fedbot_demo.inventree.companies import CURRENCIES
from fedbot_demo.inventree.endpoint import Call, Endpoint, anyone, signed_in, staff_or_read
from fedbot_demo.inventree.exchange import ForbiddenError, JsonObject, NotFoundError, Reply, ServerError
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import ordered, page, search
from fedbot_demo.inventree.records import CustomStatus, CustomUnit, Setting
from fedbot_demo.inventree.statuses import CLASSES, described
from fedbot_demo.inventree.versions import Version

INSTANCE = "INVENTREE_INSTANCE"
CURRENCY = "INVENTREE_DEFAULT_CURRENCY"

#: The models whose content type is asked for, with their app and name.
_CONTENT_TYPES = {"stockitem": ("stock", "Stock Item")}


def root(call: Call) -> Reply:
    """The server's name and versions, for anybody; a little more for staff."""
    version = call.state.version
    knows = call.token is not None or version.knows_passwords_at_root
    staff = knows and call.signed_in is not None and call.signed_in.is_staff
    return Reply(
        version.told(
            "root",
            {
                "server": "InvenTree",
                "id": None,
                "version": version.release,
                "instance": call.state.setting(INSTANCE),
                "apiVersion": version.api,
                "worker_running": False,
                "worker_count": 1,
                "worker_pending_tasks": 0,
                "plugins_enabled": False,
                "plugins_install_disabled": not version.lets_plugins_install,
                "email_configured": False,
                "debug_mode": False,
                "docker_mode": False,
                "default_locale": "en-us",
                "customize": version.told(
                    "root.customize",
                    {
                        "logo": "/static/img/inventree.png",
                        "splash": "/static/img/inventree_splash.jpg",
                        "login_message": None,
                        "navbar_message": None,
                        "disable_theme_storage": False,
                    },
                ),
                "active_plugins": False,
                "system_health": False if staff else None,
                "database": "simulated" if staff else None,
                "platform": "simulated" if staff else None,
                "installer": None,
                "target": None,
                "django_admin": "admin" if staff else None,
                "settings": {
                    "sso_registration": False,
                    "registration_enabled": False,
                    "password_forgotten_enabled": True,
                },
            },
        )
    )


def version(call: Call) -> Reply:
    """The versions of its components."""
    now = call.state.version
    return Reply(
        {
            "dev": "dev" in now.release,
            "up_to_date": True,
            "version": {
                "server": now.release,
                "api": now.api,
                "commit_hash": None,
                "commit_date": None,
                "commit_branch": None,
                "python": now.python,
                "django": now.django,
            },
            "links": {"code": "https://github.com/InvenTree/InvenTree/"} | now.links,
        }
    )


def setting_json(version: Version, setting: Setting) -> JsonObject:
    """A global setting."""
    choices = []
    if setting.key == CURRENCY:
        choices = [
            {"value": key, "display_name": version.currency(key, name)}
            for key, name in version.currencies(CURRENCIES).items()
        ]
    content: JsonObject = {
        "pk": setting.pk,
        "key": setting.key,
        "value": setting.value,
        "name": setting.name,
        "description": setting.description,
        "type": "string",
        "units": "",
        "choices": choices,
        "model_name": None,
        "api_url": None,
        "typ": "inventree",
        "read_only": False,
        "confirm": False,
        "confirm_text": "",
    }
    return version.told("setting", content)


def list_settings(call: Call) -> Reply:
    """The global settings; any account may read them."""
    rows = ordered(search(call.state.settings, call.query, lambda row: (row.key, row.name)), call.query, {})
    return page(call.request, call.query, rows, lambda row: setting_json(call.state.version, row))


def _find_setting(call: Call) -> Setting:
    found = call.state.settings.find("key", call.word)
    if not found:
        raise NotFoundError({"detail": "Not found."})
    return found[0]


def read_setting(call: Call) -> Reply:
    """One global setting."""
    return Reply(setting_json(call.state.version, _find_setting(call)))


def edit_setting(call: Call) -> Reply:
    """Change a global setting."""
    setting = _find_setting(call)
    form = Form(call.row_fields(), partial=True)
    form.text("value")
    return Reply(setting_json(call.state.version, call.state.settings.put(replace(setting, **form.check()))))


def all_statuses(call: Call) -> Reply:
    """All classes of status codes."""
    version = call.state.version
    there = [name for name in CLASSES if version.has_code_class(name)]
    return Reply({version.code_class(name)[0]: described(call.state, name) for name in there})


def one_status(call: Call) -> Reply:
    """One class of status codes."""
    if call.word not in CLASSES:
        raise NotFoundError({"detail": "Not found."})
    if call.state.version.fails_at_one_status:
        raise ServerError("NotImplementedError", call.request.path)
    return Reply(described(call.state, call.word))


def stock_statuses(call: Call) -> Reply:
    """The status codes of stock."""
    return Reply(described(call.state, "StockStatus"))


def history_codes(call: Call) -> Reply:
    """The codes of the stock history."""
    return Reply(described(call.state, "StockHistoryCode"))


def _custom_json(version: Version, row: CustomStatus) -> JsonObject:
    return {
        "pk": row.pk,
        "key": row.key,
        "name": row.name,
        "label": row.label,
        "color": row.color,
        "logical_key": row.logical_key,
        "model": version.content_type,
        "model_name": "Stock Item",
        "reference_status": row.reference_status,
    }


def list_custom_statuses(call: Call) -> Reply:
    """The custom statuses."""
    return page(
        call.request,
        call.query,
        ordered(call.state.custom_statuses, call.query, {}),
        lambda row: _custom_json(call.state.version, row),
    )


def create_custom_status(call: Call) -> Reply:
    """Create a custom status (staff only). Stock forms accept it only after the next start."""
    if not call.user.is_staff and not has_role(call.state, call.user, "admin", "add"):
        raise ForbiddenError
    form = Form(call.row_fields())
    form.choice("reference_status", CLASSES, required=True)
    form.choice("key", range(1, 100000), required=True)
    form.text("name", required=True, blank=False, longest=250)
    form.text("label", required=True, blank=False, longest=250)
    form.text("color", longest=10)
    form.choice("logical_key", range(1, 100000), required=True)
    values: JsonObject = {"color": "secondary"} | form.check()
    row = CustomStatus(pk=call.state.custom_statuses.next_pk, **values)
    return Reply(_custom_json(call.state.version, call.state.custom_statuses.put(row)), 201)


def _unit_json(row: CustomUnit) -> JsonObject:
    return {"pk": row.pk, "name": row.name, "symbol": row.symbol, "definition": row.definition}


def list_units(call: Call) -> Reply:
    """The units that the server's admins have defined."""
    return page(call.request, call.query, list(call.state.custom_units), _unit_json)


def create_unit(call: Call) -> Reply:
    """Define a unit (staff only)."""
    form = Form(call.row_fields())
    form.text("name", required=True, blank=False, longest=50)
    form.text("symbol", longest=10)
    form.text("definition", required=True, blank=False, longest=50)
    row = CustomUnit(pk=call.state.custom_units.next_pk, **form.check())
    return Reply(_unit_json(call.state.custom_units.put(row)), 201)


def content_type(call: Call) -> Reply:
    """The number of a model's content type."""
    if call.word not in _CONTENT_TYPES:
        raise NotFoundError({"detail": "Not found."})
    app, name = _CONTENT_TYPES[call.word]
    version = call.state.version
    return Reply(
        {
            "pk": version.content_type,
            "app_label": app,
            "model": call.word,
            "app_labeled_name": f"{version.content_type_app} | {name}",
            "is_plugin": False,
        }
    )


def exchange_rates(call: Call) -> Reply:
    """The exchange rates: none, because nothing fetches any."""
    moment = call.state.now.isoformat().replace("+00:00", "Z")
    updated = moment if call.state.version.fetches_rates else None
    return Reply({"base_currency": call.state.setting(CURRENCY), "exchange_rates": {}, "updated": updated})


def endpoints() -> list[Endpoint]:
    """The server itself, its settings and its codes."""
    setting = {"GET": read_setting, "PUT": edit_setting, "PATCH": edit_setting}
    custom = {"GET": list_custom_statuses, "POST": create_custom_status}
    return [
        Endpoint("", {"GET": root}, anyone, when="root_names_methods"),
        Endpoint("", {"GET": root}, anyone, plain=True, when="root_is_plain"),
        Endpoint("version/", {"GET": version}, signed_in),
        Endpoint("settings/global/", {"GET": list_settings}, staff_or_read),
        Endpoint("settings/global/*/", setting, staff_or_read),
        Endpoint("generic/status/", {"GET": all_statuses}, signed_in),
        Endpoint("generic/status/custom/", custom, signed_in, when="has_custom_statuses"),
        Endpoint("generic/status/custom/", {"GET": one_status}, signed_in, when="has_no_custom_statuses"),
        Endpoint("generic/status/*/", {"GET": one_status}, signed_in),
        Endpoint("units/", {"GET": list_units, "POST": create_unit}, staff_or_read),
        Endpoint("stock/status/", {"GET": stock_statuses}, signed_in),
        Endpoint("stock/track/status/", {"GET": history_codes}, signed_in),
        Endpoint("contenttype/model/*/", {"GET": content_type}, signed_in, when="has_custom_statuses"),
        Endpoint("currency/exchange/", {"GET": exchange_rates}, signed_in),
    ]
