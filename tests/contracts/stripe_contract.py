"""Stripe's contract as an OpenAPI document and as a table of field names, both from the typed package.

Only the operations and objects that we use are kept; a class that isn't in OBJECTS is cut to `{"type": "object"}`.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass

from tests.contracts.stripe_sdk import Field, Package, Shape, alternatives, argument, literals, outer

Json = dict[str, object]
SCALARS = {"str": "string", "int": "integer", "bool": "boolean", "float": "number", "Decimal": "string"}
REF = "#/components/schemas/"
CUT: Json = {"type": "object"}


@dataclass(frozen=True)
class Kept:
    """An object of the API: where its class stands and which of its inner classes are kept with their fields."""

    name: str
    file: str
    nested: tuple[str, ...] = ()


OBJECTS = (
    Kept(
        "charge",
        "_charge.py",
        (
            "BillingDetails",
            "FraudDetails",
            "Outcome",
            "PaymentMethodDetails",
            "PaymentMethodDetails.Card",
            "PaymentMethodDetails.Card.Checks",
        ),
    ),
    Kept("credit_note", "_credit_note.py", ("Refund", "ShippingCost", "TotalTax")),
    Kept("credit_note_line_item", "_credit_note_line_item.py"),
    Kept(
        "dispute",
        "_dispute.py",
        (
            "Evidence",
            "EvidenceDetails",
            "EvidenceDetails.EnhancedEligibility",
            "PaymentMethodDetails",
            "PaymentMethodDetails.Card",
        ),
    ),
    Kept("event", "_event.py", ("Data", "Request")),
    Kept("invoice", "_invoice.py", ("StatusTransitions",)),
    Kept("payment_intent", "_payment_intent.py", ("AmountDetails", "LastPaymentError")),
    Kept("radar.early_fraud_warning", "radar/_early_fraud_warning.py"),
    Kept("refund", "_refund.py", ("DestinationDetails", "DestinationDetails.Card", "NextAction")),
)
METHODS = (
    ("_charge_service.py", "retrieve"),
    ("_credit_note_service.py", "create"),
    ("_credit_note_service.py", "list"),
    ("_dispute_service.py", "list"),
    ("_dispute_service.py", "retrieve"),
    ("_event_service.py", "list"),
    ("_invoice_service.py", "retrieve"),
    ("_payment_intent_service.py", "retrieve"),
    ("_refund_service.py", "create"),
    ("_refund_service.py", "list"),
    ("_refund_service.py", "retrieve"),
    ("radar/_early_fraud_warning_service.py", "list"),
)
VERSION_HEADER: Json = {
    "name": "Stripe-Version",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
}
# https://docs.stripe.com/api/idempotent_requests
KEY_HEADER: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
}


def snake(name: str) -> str:
    """`CreditNoteLineItem` is the object `credit_note_line_item`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Objects:
    """The kept classes by the names that schemas refer to them by."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.shapes: dict[str, Shape] = {}
        self.by_class: dict[str, str] = {}
        for kept in OBJECTS:
            top = next(
                shape for shape in package.shapes(kept.file).values() if _is_resource(shape, kept.name)
            )
            self.shapes[kept.name] = top
            self.by_class[top.node.name] = kept.name
            for path in kept.nested:
                inner = top
                for step in path.split("."):
                    inner = inner.nested[step]
                self.shapes[f"{kept.name}.{path}"] = inner

    def named(self, name: str, scope: str) -> str:
        """The schema of a class that an annotation in `scope` names, empty where it is cut; inner classes first."""
        while scope:
            if f"{scope}.{name}" in self.shapes:
                return f"{scope}.{name}"
            scope = scope.rpartition(".")[0]
        return self.by_class.get(name, "")

    def known_inside(self, name: str, scope: str) -> bool:
        """Whether an inner class of this name hides a resource of the same name."""
        shape = self.shapes.get(scope)
        return shape is not None and name in shape.nested


def _is_resource(shape: Shape, name: str) -> bool:
    return any(
        isinstance(node, ast.AnnAssign)
        and getattr(node.target, "id", "") == "OBJECT_NAME"
        and node.value is not None
        and ast.literal_eval(node.value) == name
        for node in shape.node.body
    )


def schema_of(node: ast.expr, scope: str, objects: Objects) -> Json:
    """An annotation as JSON Schema."""
    members = alternatives(node)
    if len(members) > 1:
        return _union(members, scope, objects)
    kind, text = outer(node), ast.unparse(node)
    if text in SCALARS:
        return {"type": SCALARS[text]}
    if kind == "Literal":
        return {"type": "string", "enum": literals(node)}
    if kind in ("List", "list"):
        return {"type": "array", "items": schema_of(argument(node), scope, objects)}
    if kind == "ListObject":
        return list_of(schema_of(argument(node), scope, objects))
    if kind == "ExpandableField":
        return {"anyOf": [{"type": "string"}, schema_of(argument(node), scope, objects)]}
    if kind in ("Dict", "UntypedStripeObject"):
        return _mapping(node)
    return _reference(text, scope, objects)


def _reference(text: str, scope: str, objects: Objects) -> Json:
    name = text.rpartition(".")[2]
    found = objects.named(name, scope)
    if objects.known_inside(name, scope) and found != f"{scope}.{name}":
        found = ""
    return {"$ref": REF + found} if found else {"type": "object"}


def _mapping(node: ast.expr) -> Json:
    inner = node.slice if isinstance(node, ast.Subscript) else node
    value = inner.elts[-1] if isinstance(inner, ast.Tuple) else inner
    text = ast.unparse(value)
    return {"type": "object", "additionalProperties": {"type": SCALARS[text]} if text in SCALARS else {}}


def _union(members: list[ast.expr], scope: str, objects: Objects) -> Json:
    closed = [one for one in members if outer(one) == "Literal"]
    rest = [one for one in members if outer(one) != "Literal"]
    if closed and [ast.unparse(one) for one in rest] == ["str"]:
        return {"type": "string", "x-open-enum": sorted({value for one in closed for value in literals(one)})}
    made = [schema_of(one, scope, objects) for one in members]
    return made[0] if all(one == CUT for one in made) else {"anyOf": made}


def list_of(items: Json) -> Json:
    """A page of a list: https://docs.stripe.com/api/pagination."""
    return {
        "type": "object",
        "required": ["object", "data", "has_more", "url"],
        "properties": {
            "object": {"type": "string", "enum": ["list"]},
            "data": {"type": "array", "items": items},
            "has_more": {"type": "boolean"},
            "url": {"type": "string"},
        },
    }


def nullable(schema: Json) -> Json:
    if "$ref" in schema:
        return {"allOf": [schema], "nullable": True}
    return {**schema, "nullable": True}


def object_schema(shape: Shape, scope: str, objects: Objects) -> Json:
    """An object of a reply: optional fields may be null or absent."""
    properties: Json = {}
    for field in shape.fields:
        made = schema_of(field.type, scope, objects)
        properties[field.name] = made if field.required else nullable(made)
    return _object(shape, properties)


def _object(shape: Shape, properties: Json) -> Json:
    required = sorted(field.name for field in shape.fields if field.required)
    made: Json = {"type": "object", "properties": properties}
    return {**made, "required": required} if required else made


class Parameters:
    """The request parameters of one file, whose classes refer to each other."""

    def __init__(self, package: Package, objects: Objects, file: str) -> None:
        self.objects = objects
        self.shapes = package.shapes(file)
        self.made: Json = {}

    def schema(self, field: Field) -> Json:
        return self._of(field.type)

    def _of(self, node: ast.expr) -> Json:
        members = alternatives(node)
        if len(members) == 1 and ast.unparse(node) in self.shapes:
            return self.reference(ast.unparse(node))
        if len(members) == 1 and outer(node) == "List":
            return {"type": "array", "items": self._of(argument(node))}
        if len(members) > 1 and any(ast.unparse(one) in self.shapes for one in members):
            return {"anyOf": [self._of(one) for one in members]}
        return schema_of(node, "", self.objects)

    def reference(self, name: str) -> Json:
        if f"params.{name}" not in self.made:
            shape = self.shapes[name]
            self.made[f"params.{name}"] = {}
            self.made[f"params.{name}"] = _object(
                shape, {one.name: self._of(one.type) for one in shape.fields}
            )
        return {"$ref": f"{REF}params.{name}"}


def _operation(
    package: Package, objects: Objects, file: str, method: str, schemas: Json
) -> tuple[str, str, Json]:
    """(path, verb, operation) of a service's method."""
    tree = package.tree(file)
    function = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == method
    )
    call = next(
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._request"
    )
    verb, place = str(ast.literal_eval(call.args[0])), call.args[1]
    if isinstance(place, ast.Call) and isinstance(place.func, ast.Attribute):
        place = place.func.value
    path = str(ast.literal_eval(place))
    parameters = _parameters_of(package, objects, tree, function)
    assert function.returns is not None
    answer = schema_of(ast.parse(str(ast.literal_eval(function.returns)), mode="eval").body, "", objects)
    made: Json = {
        "operationId": f"{verb}_{path.strip('/').replace('/', '_').replace('{', '').replace('}', '')}",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", path)
        ],
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": answer}}}},
    }
    _add_request(made, verb, *parameters)
    schemas.update(parameters[1].made)
    return path, verb, made


def _parameters_of(
    package: Package, objects: Objects, tree: ast.Module, function: ast.FunctionDef
) -> tuple[str, Parameters]:
    annotation = next(one.annotation for one in function.args.args if one.arg == "params")
    assert annotation is not None
    name = re.findall(r"\w+Params", ast.unparse(annotation))[0]
    module = next(
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and any(one.name == name for one in node.names)
    )
    file = module.removeprefix("stripe.").replace(".", "/") + ".py"
    return name, Parameters(package, objects, file)


def _add_request(made: Json, verb: str, name: str, parameters: Parameters) -> None:
    listed = made["parameters"]
    assert isinstance(listed, list)
    if verb == "post":
        listed += [KEY_HEADER, VERSION_HEADER]
        body = {"application/x-www-form-urlencoded": {"schema": parameters.reference(name)}}
        made["requestBody"] = {"content": body}
        return
    for field in parameters.shapes[name].fields:
        listed.append(
            {
                "name": field.name,
                "in": "query",
                "required": field.required,
                "style": "deepObject",
                "explode": True,
                "schema": parameters.schema(field),
            }
        )
    listed.append(VERSION_HEADER)


def openapi(package: Package) -> str:
    """The contract as JSON text, the same bytes each time."""
    objects = Objects(package)
    schemas: Json = {name: object_schema(shape, name, objects) for name, shape in objects.shapes.items()}
    paths: dict[str, Json] = {}
    for file, method in METHODS:
        path, verb, made = _operation(package, objects, file, method, schemas)
        paths.setdefault(path, {})[verb] = made
    document = {
        "openapi": "3.0.3",
        "info": {
            "title": "Stripe, derived from the PyPI package stripe",
            "version": package.api_version,
            "x-sdk": package.version,
            "license": {"name": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


HEADER = '''"""The fields of Stripe's objects in version {version}: any other that arrives is a new one.

Written by `python -m tests.contracts.derive` from the PyPI package stripe {sdk} (MIT licence, see NOTICE): don't edit.
An inner object is named by its path: `charge.payment_method_details.card`.
"""

from __future__ import annotations

VERSION = "{version}"
FIELDS: dict[str, frozenset[str]] = {{
'''


def known_fields(package: Package) -> str:
    """tools/adapters/stripe_known.py, as text."""
    objects = Objects(package)
    lines = [HEADER.format(version=package.api_version, sdk=package.version)]
    for name, fields in sorted(_by_property(objects).items()):
        lines.append(f'    "{name}": frozenset(\n        """\n')
        lines += [f"        {row}\n" for row in _rows(sorted(fields))]
        lines.append('        """.split()\n    ),\n')
    return "".join([*lines, "}\n"])


def _by_property(objects: Objects) -> dict[str, set[str]]:
    """Field names by the path of properties that leads to the object, where the schemas are named by class."""
    paths: dict[str, set[str]] = {"list": {"object", "data", "has_more", "url"}}
    for kept in OBJECTS:
        _walk(kept.name, kept.name, objects, paths)
    return paths


def _walk(path: str, schema: str, objects: Objects, paths: dict[str, set[str]]) -> None:
    shape = objects.shapes[schema]
    paths[path] = {field.name for field in shape.fields}
    for field in shape.fields:
        found = re.findall(re.escape(REF) + r"([\w.]+)", json.dumps(schema_of(field.type, schema, objects)))
        for inner in found:
            if inner.startswith(f"{schema}."):
                _walk(f"{path}.{field.name}", inner, objects, paths)


def _rows(words: list[str]) -> list[str]:
    rows: list[str] = [""]
    for word in words:
        if len(rows[-1]) + len(word) > 98:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return rows
