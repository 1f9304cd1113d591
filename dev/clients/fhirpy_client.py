"""`fhirpy` against the running server: create, read, update, search with its own paging, conditions, a bundle, history, delete."""

import os

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

count = 0


def same(actual, expected):
    global count
    assert actual == expected, f"{actual!r} is not {expected!r}"
    count += 1


def refused(request, error):
    global count
    try:
        request()
    except error:
        count += 1
    else:
        raise AssertionError("was not refused")


# Its count() sends a parameter of another server beside `_count=0`; that may be passed over, since the client asks for it.
client = SyncFHIRClient(
    os.environ["IRIS_FHIR"], authorization=os.environ["IRIS_BEARER"], extra_headers={"Prefer": "handling=lenient"}
)

patient = client.resource("Patient", name=[{"family": "Pyson", "given": ["Cy"]}], birthDate="1970-01-01")
patient.save()
same(patient["meta"]["versionId"], "1")
patient["active"] = True
patient.save()
same(patient["meta"]["versionId"], "2")
read = client.reference("Patient", patient.id).to_resource()
same((read["active"], read["name"][0]["family"]), (True, "Pyson"))

entries = [
    {
        "resource": {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": f"number {at}"},
            "subject": {"reference": f"Patient/{patient.id}"},
        },
        "request": {"method": "POST", "url": "Observation"},
    }
    for at in range(12)
]
answer = client.resource("Bundle", type="transaction", entry=entries)
answer = client.execute("/", method="post", data=answer.serialize())
same(len(answer["entry"]), 12)

observations = client.resources("Observation").search(subject=f"Patient/{patient.id}")
same(len(observations.limit(5).fetch_all()), 12)
same(observations.count(), 12)
same(len(observations.sort("-_lastUpdated").limit(3).fetch()), 3)
same(client.resources("Patient").search(family="Pyson", birthdate__ge="1970").first().id, patient.id)
same(client.resources("Patient").search(family__exact="pyson").first(), None)
included = client.resources("Observation").search(subject=f"Patient/{patient.id}").include("Observation", "subject")
same({one["resource"]["resourceType"] for one in included.fetch_raw()["entry"]}, {"Observation", "Patient"})

conditional = client.resources("Patient").search(family="Pyson").update(
    client.resource("Patient", name=[{"family": "Pyson"}], birthDate="1971-01-01")
)
same((conditional[0].id, conditional[1]), (patient.id, False))
history = client.execute(f"Patient/{patient.id}/_history", method="get")
same(len(history["entry"]), 3)
same(client.resource("Patient", gender="F").is_valid(), False)
refused(lambda: client.resource("Patient", gender="F").save(), OperationOutcome)
refused(lambda: client.reference("Patient", "absent").to_resource(), ResourceNotFound)
first = observations.first()
first.delete()
refused(lambda: client.reference("Observation", first.id).to_resource(), ResourceNotFound)
print(f"fhirpy: {count} checks held")
