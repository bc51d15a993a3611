"""/api/company/: customers, suppliers and manufacturers (facts: (e), 'Company name', 'DELETE company')."""

from __future__ import annotations

from dataclasses import replace

from fedbot_demo.inventree.endpoint import Call, Endpoint, on_model
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, NotFoundError, Reply
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import Query, ordered, page, search
from fedbot_demo.inventree.records import Company
from fedbot_demo.inventree.state import State

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

_COUNTS: JsonObject = {"parts_supplied": 0, "parts_manufactured": 0}


def company_json(company: Company) -> JsonObject:
    """A company, without counts."""
    return {
        "pk": company.pk,
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
    }


def _written(company: Company) -> JsonObject:
    """What the reply to a write tells beside the company itself."""
    return company_json(company) | {"tags": list(company.tags), "parameters": [], "primary_address": None}


def filtered(state: State, query: Query) -> list[Company]:
    """The companies that fit all filters of the query, in its order."""
    name = query.text("name")
    found = state.companies.find("name", name) if name else list(state.companies)
    for flag in FLAGS:
        wanted = query.flag(flag)
        if wanted is not None:
            found = [company for company in found if getattr(company, flag) == wanted]
    found = search(found, query, lambda company: (company.name, company.description, company.website, company.tax_id))
    keys = {"name": lambda company: company.name, "active": lambda company: company.active}
    return ordered(found, query, keys, ("name",))


def listed(company: Company) -> JsonObject:
    """A company as lists show it."""
    return company_json(company) | _COUNTS


def list_companies(call: Call) -> Reply:
    """The companies that fit the filters; ?name= is exact."""
    return page(call.request, call.query, filtered(call.state, call.query), listed)


def _company_form(call: Call) -> JsonObject:
    form = Form(call.row_fields(), partial=call.request.method == "PATCH")
    form.text("name", required=True, blank=False, longest=100)
    form.text("description", longest=500)
    form.link("website")
    form.text("phone", longest=50)
    form.email("email")
    form.choice("currency", CURRENCIES)
    form.text("contact", longest=100)
    form.link("link")
    form.text("notes", null=True)
    form.text("tax_id", longest=50)
    for flag in FLAGS:
        form.flag(flag)
    return form.check()


def _check_unique(state: State, company: Company) -> None:
    for other in state.companies.find("name", company.name):
        if other.pk != company.pk and other.email == company.email:
            raise InvalidError({"non_field_errors": ["The fields name, email must make a unique set."]})


def create_company(call: Call) -> Reply:
    """Make a company. It is a supplier and no customer unless told otherwise; `metadata` is ignored in silence."""
    company = Company(pk=call.state.companies.next_pk, **_company_form(call))
    _check_unique(call.state, company)
    return Reply(_written(call.state.companies.put(company)), 201)


def find_company(call: Call) -> Company:
    """The company of the path."""
    company = call.state.companies.get(call.pk)
    if company is None:
        raise NotFoundError.of_row("Company")
    return company


def read_company(call: Call) -> Reply:
    """One company."""
    return Reply(listed(find_company(call)))


def edit_company(call: Call) -> Reply:
    """Change fields of a company."""
    company = replace(find_company(call), **_company_form(call))
    _check_unique(call.state, company)
    return Reply(_written(call.state.companies.put(company)) | _COUNTS)


def delete_company(call: Call) -> Reply:
    """Delete a company. What was assigned to it is in stock again, nowhere: nobody should do this to a peer."""
    company = find_company(call)
    state = call.state
    for item in state.stock.find("customer", company.pk):
        state.stock.put(replace(item, customer=None))
    for sales_order in state.sales_orders.find("customer", company.pk):
        state.sales_orders.put(replace(sales_order, customer=None))
    for return_order in state.return_orders.find("customer", company.pk):
        state.return_orders.put(replace(return_order, customer=None))
    state.remove_metadata("company", company.pk)
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
