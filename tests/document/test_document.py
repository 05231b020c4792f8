"""The document is valid, its examples are, and it says which methods there are."""

import re

from document import contents, examples, operations, resolved
from openapi_spec_validator import OpenAPIV31SpecValidator
from validity import Judge


def test_the_document_is_valid_openapi(document):
    errors = list(OpenAPIV31SpecValidator(document).iter_errors())
    assert not errors, errors


def test_every_body_and_answer_has_examples_and_they_fit_its_schema(document):
    judge = Judge(document)
    wrong = []
    for whose, content in contents(document):
        shown = list(examples(content))
        if not shown:
            wrong.append(f"{whose} has no example")
        wrong += [f"{whose} {problem}" for one in shown for problem in judge.problems(content["schema"], one)]
    assert not wrong, "\n".join(wrong)


def test_examples_of_parameters_and_headers_fit_their_schemas(document):
    judge = Judge(document)
    wrong = []
    for _, _, operation in operations(document):
        holders = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
        for answer in operation["responses"].values():
            holders += resolved(document, answer).get("headers", {}).values()
        for holder in holders:
            shown = [*examples(holder), *([holder["schema"]["default"]] if "default" in holder["schema"] else [])]
            wrong += [f"{holder} {problem}" for one in shown for problem in judge.problems(holder["schema"], one)]
    assert not wrong, "\n".join(wrong)


def test_defaults_fit_their_schemas(document):
    judge = Judge(document)
    wrong = []

    def look(node):
        if isinstance(node, list):
            for part in node:
                look(part)
        elif isinstance(node, dict):
            # A property may itself be called "default".
            if "default" in node and "type" in node and isinstance(node["type"], (str, list)):
                schema = {name: part for name, part in node.items() if name != "default"}
                wrong.extend(judge.problems(schema, node["default"]))
            for part in node.values():
                look(part)

    look(document["components"]["schemas"])
    assert not wrong, wrong


def test_every_component_is_used(document):
    text = str(document)
    for kind, components in document["components"].items():
        for name in components:
            if kind != "securitySchemes":
                assert f"'#/components/{kind}/{name}'" in text, f"nothing uses {kind}/{name}"


def test_operation_ids_are_names_that_every_language_takes_and_each_is_there_once(document):
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in ids), ids


def test_each_path_allows_the_methods_that_the_document_names_and_no_other(program, document):
    for path, item in document["paths"].items():
        answer = program.send("PATCH", re.sub(r"{\w+}", "0197a3b2-5c1e-7d34-8a86-2e8f4d6a1b37", path))
        assert answer.status_code == 405, path
        allowed = {method.strip().lower() for method in answer.headers["allow"].split(",")}
        assert allowed - {"head"} == set(item), path
        assert ("head" in allowed) == ("get" in item), path


def test_the_document_is_open_to_all_and_the_rest_is_not(program, document):
    for path, method, operation in operations(document):
        path = re.sub(r"{\w+}", "0197a3b2-5c1e-7d34-8a86-2e8f4d6a1b37", path)
        answer = program.send(method.upper(), path, headers={"user-api-key": None})
        assert answer.status_code == (200 if operation.get("security") == [] else 401), path
