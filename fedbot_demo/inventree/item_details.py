"""Parameters of parts, test results of stock items, and installed items."""

from __future__ import annotations

from dataclasses import replace

from fedbot_demo.inventree.access import may
from fedbot_demo.inventree.endpoint import Call, Endpoint, on_model, signed_in
from fedbot_demo.inventree.exchange import ForbiddenError, InvalidError, JsonObject, NotFoundError, Reply
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import page, same_text
from fedbot_demo.inventree.part_json import parameter_json
from fedbot_demo.inventree.records import BomLine, Parameter, ParameterTemplate, TestResult, TestTemplate
from fedbot_demo.inventree.stock_json import tested

_PARAMETER_LENGTH = 500


def list_templates(call: Call) -> Reply:
    """The parameter templates; ?name= is exact."""
    name = call.query.text("name")
    rows = [row for row in call.state.parameter_templates if not name or row.name == name]
    return page(call.request, call.query, rows, _template_json)


def _template_json(row: ParameterTemplate) -> JsonObject:
    return {"pk": row.pk, "name": row.name, "units": row.units, "description": ""}


def create_template(call: Call) -> Reply:
    """Create a template with a unique name, compared without regard to case."""
    form = Form(call.row_fields())
    form.text("name", required=True, blank=False, longest=100)
    form.text("units", longest=25)
    values = form.check()
    templates = call.state.parameter_templates
    if any(same_text(row.name, values["name"]) for row in templates):
        raise InvalidError({"name": ["Parameter template name must be unique"]})
    row = ParameterTemplate(pk=templates.next_pk, **values)
    return Reply(_template_json(templates.put(row)), 201)


def list_parameters(call: Call) -> Reply:
    """The parameters, with ?model_id= or ?part= those of one part."""
    number = call.query.number("model_id") or call.query.number("part")
    rows = [row for row in call.state.parameters if number is None or row.part == number]
    return page(call.request, call.query, rows, lambda row: parameter_json(call.state, row))


def create_parameter(call: Call) -> Reply:
    """Set a part's value for a template; a part has at most one for each."""
    state = call.state
    data = call.row_fields()
    data["part"] = data.get("part") or data.get("model_id")
    form = Form(data)
    part = form.row("part", state.parts, required=True)
    template = form.row("template", state.parameter_templates, required=True)
    form.text("data", required=True, blank=False, longest=_PARAMETER_LENGTH)
    values = form.check()
    if not may(state, call.user, "part", "add"):
        raise ForbiddenError
    if part is not None and part.locked:
        raise InvalidError({"non_field_errors": ["Parameter cannot be modified as the part is locked"]})
    if any(row.template == values["template"] for row in state.parameters.find("part", values["part"])):
        raise InvalidError({"non_field_errors": ["The fields model_type, model_id, template must make a unique set."]})
    if part is None or template is None:
        raise NotFoundError.of_row("Parameter")
    row = Parameter(pk=state.parameters.next_pk, template=template.pk, part=part.pk, data=values["data"])
    return Reply(parameter_json(state, state.parameters.put(row)), 201)


def create_test_template(call: Call) -> Reply:
    """Create a test for a part."""
    state = call.state
    form = Form(call.row_fields())
    form.row("part", state.parts, required=True)
    form.text("test_name", required=True, blank=False, longest=100)
    values = form.check()
    row = TestTemplate(pk=state.test_templates.next_pk, part=values["part"], test_name=values["test_name"])
    state.test_templates.put(row)
    return Reply({"pk": row.pk, "part": row.part, "test_name": row.test_name}, 201)


def list_tests(call: Call) -> Reply:
    """The test results, with ?stock_item= those of one item."""
    item = call.query.row("stock_item", call.state.stock)
    call.query.check()
    rows = [row for row in call.state.test_results if item is None or row.stock_item == item.pk]
    told = call.query.says_yes("template_detail", otherwise=False)
    return page(call.request, call.query, rows, lambda row: tested(call.state, row, with_template=told))


def create_test(call: Call) -> Reply:
    """Add a result by the test's name or template; older versions create a template for an unknown name."""
    state = call.state
    form = Form(call.row_fields())
    item = form.row("stock_item", state.stock, required=True)
    form.flag("result")
    form.text("value", longest=500)
    form.text("notes", longest=500)
    values = form.check()
    if item is None:
        raise NotFoundError.of_row("StockItem")
    name, number = str(form.data.get("test") or ""), form.data.get("template")
    found = [row for row in state.test_templates if row.part == item.part]
    fitting = [row for row in found if row.pk == number or same_text(row.test_name, name)]
    if not fitting and not (name and state.version.makes_tests_by_name):
        raise InvalidError({"test": ["No matching test found for this part"]})
    template = fitting[0] if fitting else TestTemplate(pk=state.test_templates.next_pk, part=item.part, test_name=name)
    state.test_templates.put(template)
    row = TestResult(
        pk=state.test_results.next_pk,
        stock_item=item.pk,
        template=template.pk,
        result=bool(values.get("result")),
        value=values.get("value", ""),
        notes=values.get("notes", ""),
        date=state.now,
    )
    return Reply(tested(state, state.test_results.put(row), with_template=True), 201)


def create_bom_line(call: Call) -> Reply:
    """Add a line to a part's bill of materials."""
    state = call.state
    form = Form(call.row_fields())
    form.row("part", state.parts, required=True)
    form.row("sub_part", state.parts, required=True)
    form.quantity("quantity")
    row = state.bom.put(BomLine(pk=state.bom.next_pk, **form.check()))
    return Reply({"pk": row.pk, "part": row.part, "sub_part": row.sub_part, "quantity": float(row.quantity)}, 201)


def install(call: Call) -> Reply:
    """Install another stock item in this one; in newer versions it then has no location."""
    state = call.state
    outer = state.stock.get(call.pk)
    if outer is None:
        raise NotFoundError.of_row("StockItem")
    form = Form(call.row_fields())
    inner = form.row("stock_item", state.stock, required=True)
    form.check()
    if inner is None:
        raise NotFoundError.of_row("StockItem")
    if not any(line.sub_part == inner.part for line in state.bom.find("part", outer.part)):
        raise InvalidError({"stock_item": ["Selected part is not in the Bill of Materials"]})
    place = inner.location if state.version.installed_items_stay_in_place else None
    state.stock.put(replace(inner, belongs_to=outer.pk, location=place))
    return Reply({"stock_item": inner.pk, "quantity": 1, "note": str(form.data.get("note") or "")}, 201)


def endpoints() -> list[Endpoint]:
    """Parameters at their two addresses, tests, installing."""
    templates = {"GET": list_templates, "POST": create_template}
    values = {"GET": list_parameters, "POST": create_parameter}
    tests = {"GET": list_tests, "POST": create_test}
    of_any = "has_parameters_of_any_model"
    return [
        Endpoint("parameter/template/", templates, signed_in, when=of_any),
        Endpoint("parameter/", values, signed_in, when=of_any),
        Endpoint("part/parameter/template/", templates, on_model("part"), when="has_parameters_of_parts"),
        Endpoint("part/parameter/", values, on_model("part"), when="has_parameters_of_parts"),
        Endpoint("part/test-template/", {"POST": create_test_template}, on_model("part")),
        Endpoint("stock/test/", tests, on_model("stockitem")),
        Endpoint("bom/", {"POST": create_bom_line}, on_model("part")),
        Endpoint("stock/#/install/", {"POST": install}, on_model("stockitem")),
    ]
