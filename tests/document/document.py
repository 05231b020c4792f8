"""Ways through an OpenAPI document."""

METHODS = ("get", "put", "post", "delete", "patch", "options", "head", "trace")


def resolved(document, node):
    """What a `$ref` leads to, or the node itself."""
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def operations(document):
    """Path, method and operation of each."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def contents(document):
    """Each body and answer of JSON: whose it is, and its media type object."""
    for _, _, operation in operations(document):
        body = operation.get("requestBody")
        if body:
            yield operation["operationId"], body["content"]["application/json"]
        for status, answer in operation["responses"].items():
            answer = resolved(document, answer)
            yield f"{operation['operationId']} {status}", answer["content"]["application/json"]


def examples(holder):
    """The examples of a media type object, a parameter or a header."""
    if "example" in holder:
        yield holder["example"]
    for example in holder.get("examples", {}).values():
        yield example["value"]
