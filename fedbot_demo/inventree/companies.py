"""/api/company/: customers, suppliers and manufacturers (facts: (e), 'Company name', 'DELETE company')."""

from __future__ import annotations

from dataclasses import replace

from fedbot_demo.inventree.endpoint import Call, Endpoint, on_model
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, NotFoundError, Reply
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import Query, ordered, page, search
from fedbot_demo.inventree.records import Company
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.versions import Version

CURRENCIES = {
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "CNY": "Chinese Yuan",
    "EUR": "Euro",
    "GBP": "British Pound",
    "JPY": "Japanese Yen",
    "NZD": "New Zealand Dollar",
    "USD": "US Dollar",
}

FLAGS = ("is_customer", "is_manufacturer", "is_supplier", "active")

_COUNTS: JsonObject = {"parts_supplied": 0, "parts_manufactured": 0, "address_count": 0}


def company_json(version: Version, company: Company) -> JsonObject:
    """A company, without counts."""
    content: JsonObject = {
        "pk": company.pk,
        "url": f"/company/{company.pk}/",
        "address": None,
        "name": company.name,
        "description": company.description,
        "website": company.website,
        "phone": company.phone,
        "email": company.email,
        "currency": company.currency,
        "contact": company.contact,
        "link": company.link,
        "image": None,
        "active": company.active,
        "is_customer": company.is_customer,
        "is_manufacturer": company.is_manufacturer,
        "is_supplier": company.is_supplier,
        "notes": company.notes,
        "tax_id": company.tax_id,
        "primary_address": None,
    }
    return version.told("company", content)


def _written(version: Version, company: Company) -> JsonObject:
    """The extra fields in the reply to a write."""
    extra = {"tags": list(company.tags), "parameters": []}
    return company_json(version, company) | version.told("company.written", extra) | {"primary_address": None}


def filtered(state: State, query: Query) -> list[Company]:
    """The companies that match all filters of the query, in its order."""
    name = query.text("name")
    found = state.companies.find("name", name) if name else list(state.companies)
    for flag in FLAGS:
        wanted = query.flag(flag)
        if wanted is not None:
            found = [company for company in found if getattr(company, flag) == wanted]
    found = search(found, query, lambda company: (company.name, company.description, company.website, company.tax_id))
    keys = {"name": lambda company: company.name, "active": lambda company: company.active}
    return ordered(found, query, keys, ("name",))


def _counts(version: Version) -> JsonObject:
    return version.told("company.counts", dict(_COUNTS))


def listed(version: Version, company: Company) -> JsonObject:
    """A company as lists show it."""
    content = company_json(version, company) | _counts(version)
    if not version.lists_notes_of_companies:
        del content["notes"]
    return content


def list_companies(call: Call) -> Reply:
    """The companies that match the filters; ?name= is exact."""
    return page(call.request, call.query, filtered(call.state, call.query), lambda row: listed(call.state.version, row))


def _company_form(call: Call) -> JsonObject:
    form = Form(call.row_fields(), partial=call.request.method == "PATCH")
    form.text("name", required=True, blank=False, longest=100)
    form.text("description", longest=500)
    form.link("website")
    form.text("phone", longest=50)
    form.email("email")
    form.choice("currency", CURRENCIES)
    form.text("contact", longest=100)
    form.link("link", longest=call.state.version.longest_link)
    form.text("notes", null=True)
    form.text("tax_id", longest=50)
    for flag in FLAGS:
        form.flag(flag)
    return form.check()


def _check_unique(state: State, company: Company) -> None:
    if company.email is None:
        return  # in a database, NULL never equals NULL
    for other in state.companies.find("name", company.name):
        if other.pk != company.pk and other.email == company.email:
            raise InvalidError({"non_field_errors": [state.version.same_company]})


def create_company(call: Call) -> Reply:
    """Create a company. By default it is a supplier and not a customer; `metadata` is silently ignored."""
    version = call.state.version
    fields: JsonObject = {"email": version.unwritten} | _company_form(call)
    company = Company(pk=call.state.companies.next_pk, **fields)
    _check_unique(call.state, company)
    content = _written(version, call.state.companies.put(company))
    if not version.lists_notes_of_companies:
        del content["notes"]
    return Reply(content, 201, version.created_at(f"/company/{company.pk}/"))


def find_company(call: Call) -> Company:
    """The company in the path."""
    company = call.state.companies.get(call.pk)
    if company is None:
        raise NotFoundError.of_row("Company")
    return company


def read_company(call: Call) -> Reply:
    """One company."""
    version = call.state.version
    return Reply(company_json(version, find_company(call)) | _counts(version))


def edit_company(call: Call) -> Reply:
    """Change fields of a company."""
    company = replace(find_company(call), **_company_form(call))
    _check_unique(call.state, company)
    version = call.state.version
    return Reply(_written(version, call.state.companies.put(company)) | _counts(version))


def delete_company(call: Call) -> Reply:
    """Delete a company. Items assigned to it are in stock again, without a location: never do this to a peer's."""
    company = find_company(call)
    state = call.state
    for item in state.stock.find("customer", company.pk):
        state.stock.put(replace(item, customer=None))
    for sales_order in state.sales_orders.find("customer", company.pk):
        state.sales_orders.put(replace(sales_order, customer=None))
    for return_order in state.return_orders.find("customer", company.pk):
        state.return_orders.put(replace(return_order, customer=None))
    state.forget("company", company.pk)
    state.companies.remove(company.pk)
    return Reply(status=204)


def endpoints() -> list[Endpoint]:
    """The list and the single company."""
    guard = on_model("company")
    single = {"GET": read_company, "PUT": edit_company, "PATCH": edit_company, "DELETE": delete_company}
    return [
        Endpoint("company/", {"GET": list_companies, "POST": create_company}, guard),
        Endpoint("company/#/", single, guard),
    ]
