"""/api/attachment/: links and files with a comment, attached to rows (facts: SECURITY; any account can read them)."""

from __future__ import annotations

from dataclasses import replace

from fedbot_demo.inventree.access import authenticate, may
from fedbot_demo.inventree.endpoint import Call, Endpoint, Uploaded, on_model, signed_in, valid_name
from fedbot_demo.inventree.exchange import (
    ForbiddenError,
    InvalidError,
    JsonObject,
    NotAuthenticatedError,
    NotFoundError,
    Reply,
    Request,
    Response,
)
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import ordered, page, search
from fedbot_demo.inventree.metadata import MODELS
from fedbot_demo.inventree.records import Attachment
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.stock_json import day, thumbnail_of
from fedbot_demo.inventree.users import user_brief

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_HEADER = 12


def is_picture(content: bytes) -> bool:
    """Whether InvenTree could open it as a picture: by its first bytes, if more bytes follow them."""
    return len(content) > _HEADER and (content.startswith(_PICTURES) or content[8:12] == b"WEBP")


def attachment_json(state: State, row: Attachment) -> JsonObject:
    """An attached link or file. Pictures get their thumbnail at once; a background worker sets `is_image`."""
    user = state.users.get(row.upload_user)
    content: JsonObject = {
        "pk": row.pk,
        "attachment": _address(row) if row.filename else None,
        "thumbnail": f"/media/thumb_{row.filename}" if is_picture(row.content) else None,
        "filename": row.filename,
        "link": row.link or None,
        "comment": row.comment,
        "is_image": False,
        "upload_date": day(row.upload_date),
        "upload_user": row.upload_user,
        "user_detail": None if user is None else user_brief(user),
        "file_size": row.file_size,
        "model_type": row.model_type,
        "model_id": row.model_id,
        "user": row.upload_user,
        "stock_item": row.model_id,
    }
    return state.version.told("attachment", content)


def _address(row: Attachment) -> str:
    return f"/media/attachments/{row.model_type}/{row.model_id}/{row.filename}"


def media(state: State, request: Request) -> Response:
    """A file, as the web server before InvenTree sends it: to any account, as InvenTree's `/auth/` allows."""
    try:
        if authenticate(state, request).user is None:
            return Response(401)
    except NotAuthenticatedError:
        return Response(401)
    files = {_address(row): row.content for row in state.attachments if row.filename}
    pictured = [part for part in state.parts if part.image]
    files |= {where: part.picture for part in pictured for where in (part.image, thumbnail_of(part))}
    content = files.get(request.path)
    return Response(404) if content is None else Response(200, (("Content-Type", "application/octet-stream"),), content)


def list_attachments(call: Call) -> Reply:
    """The attachments, with ?model_type= and ?model_id= those of one row."""
    rows = list(call.state.attachments)
    if call.query.text("model_type"):
        rows = [row for row in rows if row.model_type == call.query.text("model_type")]
    number = call.query.number("model_id")
    call.query.check()
    if number is not None:
        rows = [row for row in rows if row.model_id == number]
    rows = ordered(search(rows, call.query, lambda row: (row.comment, row.link)), call.query, {})
    tags = call.state.version.told("attachment.listed", {"tags": []})
    return page(call.request, call.query, rows, lambda row: attachment_json(call.state, row) | tags)


def create_attachment(call: Call) -> Reply:
    """Attach a link or a file to a row of any model."""
    form = Form(call.row_fields())
    form.choice("model_type", MODELS, required=True)
    form.choice("model_id", range(1, 2**31), required=True)
    return _attach(call, form)


def list_item_attachments(call: Call) -> Reply:
    """The attachments of stock items, with ?stock_item= those of one."""
    item = call.query.row("stock_item", call.state.stock)
    call.query.check()
    rows = [row for row in call.state.attachments if item is None or row.model_id == item.pk]
    rows = ordered(search(rows, call.query, lambda row: (row.comment, row.link)), call.query, {})
    tags = call.state.version.told("attachment.listed", {"tags": []})
    return page(call.request, call.query, rows, lambda row: attachment_json(call.state, row) | tags)


def create_item_attachment(call: Call) -> Reply:
    """Attach a link or a file to the stock item with the given number."""
    form = Form(call.row_fields())
    item = form.row("stock_item", call.state.stock, required=True)
    form.values |= {"model_type": "stockitem", "model_id": 0 if item is None else item.pk}
    return _attach(call, form)


def _attach(call: Call, form: Form) -> Reply:
    form.link("link")
    form.text("comment", longest=call.state.version.longest_comment)
    file = form.data.get("attachment")
    if isinstance(file, Uploaded) and not file.content:
        form.fail("attachment", "The submitted file is empty.")
    values = form.check()
    if not may(call.state, call.user, values["model_type"], "change"):
        raise ForbiddenError("User does not have permission to create or edit attachments for this model")
    if not values.get("link") and not isinstance(file, Uploaded):
        raise InvalidError({"attachment": ["Missing file"], "link": ["Missing external link"]})
    row = Attachment(
        pk=call.state.attachments.next_pk,
        model_type=values["model_type"],
        model_id=values["model_id"],
        link=values.get("link", ""),
        comment=values.get("comment", ""),
        upload_date=call.state.today,
        upload_user=call.user.pk,
    )
    if isinstance(file, Uploaded):
        name = valid_name(file.name)
        others = {each.filename for each in call.state.attachments if each.model_id == row.model_id}
        if name in others:  # a real server adds seven random characters
            stem, dot, ending = name.rpartition(".")
            name = f"{stem}_{row.pk:07d}{dot}{ending}"
        row = replace(row, filename=name, file_size=len(file.content), content=file.content)
    call.state.attachments.put(row)
    extra = call.state.version.told("attachment.written", {"thumbnail": None, "tags": []})
    return Reply(attachment_json(call.state, row) | extra, 201)


def _find(call: Call) -> Attachment:
    row = call.state.attachments.get(call.pk)
    if row is None:
        raise NotFoundError.of_row("Attachment")
    return row


def read_attachment(call: Call) -> Reply:
    """One attachment."""
    return Reply(attachment_json(call.state, _find(call)))


def delete_attachment(call: Call) -> Reply:
    """Delete an attachment."""
    row = _find(call)
    if not may(call.state, call.user, row.model_type, "delete"):
        raise ForbiddenError
    call.state.attachments.remove(row.pk)
    return Reply(status=204)


def endpoints() -> list[Endpoint]:
    """The list and the single attachment."""
    of_items = {"GET": list_item_attachments, "POST": create_item_attachment}
    single = {"GET": read_attachment, "DELETE": delete_attachment}
    return [
        Endpoint(
            "attachment/",
            {"GET": list_attachments, "POST": create_attachment},
            signed_in,
            also="DELETE",
            when="attaches_to_any_model",
        ),
        Endpoint("attachment/#/", single, signed_in, also="PUT PATCH", when="attaches_to_any_model"),
        Endpoint("stock/attachment/", of_items, on_model("stockitem"), also="DELETE", when="attaches_by_model"),
        Endpoint("stock/attachment/#/", single, on_model("stockitem"), also="PUT PATCH", when="attaches_by_model"),
    ]
