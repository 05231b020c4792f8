"""A client that speaks only of what the document says, and judges every answer by it."""

from document import operations, resolved
from validity import Judge


# Headers that an answer has only now and then.
MAYBE = ("retry-after", "api-key-expires", "subscription-ends")


class Client:
    def __init__(self, program, document):
        self.program = program
        self.document = document
        self.judge = Judge(document)
        self.operations = {operation["operationId"]: (path, method, operation)
                           for path, method, operation in operations(document)}
        self.succeeded = set()

    def call(self, name, body=None, query=None, status=None, **path_arguments):
        """Calls an operation by its id. The answer is its JSON, which must be what the document says of its status."""
        path, method, operation = self.operations[name]
        if body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            problems = self.judge.problems(schema, body)
            assert not problems, f"{name} is sent what is not valid: {problems}"
        answer = self.program.send(method.upper(), path.format(**path_arguments), body, params=query)
        told = f"{name} {path_arguments} {body}: {answer.status_code} {answer.text}"
        wanted = {status} if status else {200, 201}
        assert answer.status_code in wanted, told
        documented = operation["responses"].get(str(answer.status_code))
        assert documented, f"not documented: {told}"
        documented = resolved(self.document, documented)
        problems = self.judge.problems(documented["content"]["application/json"]["schema"], answer.json())
        assert not problems, f"{told}: {problems}"
        for header in documented.get("headers", {}):
            assert header in answer.headers or header in MAYBE, f"no {header}: {told}"
        if answer.ok:
            self.succeeded.add(name)
        return answer.json()

    def body_schema(self, name):
        """The object under the top key of an operation's body, with that key."""
        schema = self.operations[name][2]["requestBody"]["content"]["application/json"]["schema"]
        (key, inside), = resolved(self.document, schema)["properties"].items()
        return key, resolved(self.document, inside)

    def body_example(self, name):
        return self.operations[name][2]["requestBody"]["content"]["application/json"]["example"]
