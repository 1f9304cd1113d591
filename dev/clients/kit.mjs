// `fhir-kit-client` against the running server: create with a condition, read, vread, update, patch, search by GET and POST, in a
// compartment and in the whole system, paging, history at each level, batch and transaction, operations, delete.
import { Client } from 'fhir-kit-client'
import { base, bearer, done, patient, refused, same } from './check.mjs'

const client = new Client({ baseUrl: base, bearerToken: bearer.replace('Bearer ', '') })
const resourceType = 'Patient'

same((await client.capabilityStatement()).fhirVersion, '4.0.1')
const identifier = [{ system: 'urn:example:kit', value: '1' }]
const once = { headers: { 'If-None-Exist': 'identifier=urn:example:kit|1' } }
const made = await client.create({ resourceType, body: { ...patient('Kitson', 'Bo'), identifier }, options: once })
const again = await client.create({ resourceType, body: { ...patient('Kitson', 'Bo'), identifier }, options: once })
same(again.id, made.id)
const id = made.id
same((await client.read({ resourceType, id })).id, id)
const updated = await client.update({ resourceType, id, body: { ...made, active: false } })
same(updated.meta.versionId, '2')
same((await client.vread({ resourceType, id, version: '1' })).active, true)
const meant = await client.update({
  resourceType, searchParams: { identifier: 'urn:example:kit|1' }, body: { ...made, birthDate: '1971-01-01' },
})
same([meant.id, meant.meta.versionId], [id, '3'])
const patched = await client.patch({ resourceType, id, jsonPatch: [{ op: 'add', path: '/gender', value: 'female' }] })
same(patched.gender, 'female')

const entry = (method, url, resource) => ({ request: { method, url }, ...(resource && { resource }) })
const observation = (at) => ({
  resourceType: 'Observation', status: 'final', code: { text: `number ${at}` }, subject: { reference: `Patient/${id}` },
})
const entries = Array.from({ length: 12 }, (_, at) => entry('POST', 'Observation', observation(at)))
const transaction = { resourceType: 'Bundle', type: 'transaction', entry: entries }
same((await client.transaction({ body: transaction })).entry.length, 12)
const batch = { resourceType: 'Bundle', type: 'batch', entry: [entry('GET', `Patient/${id}`), entry('GET', 'Patient/absent')] }
const done2 = await client.batch({ body: batch })
same(done2.entry.map((one) => one.response.status.slice(0, 3)), ['200', '404'])

const seen = new Set()
let page = await client.search({ resourceType: 'Observation', searchParams: { subject: `Patient/${id}`, _count: 5 } })
while (page) {
  page.entry.forEach((one) => seen.add(one.resource.id))
  page = await client.nextPage({ bundle: page })
}
same(seen.size, 12)
const posted = await client.search({ resourceType, searchParams: { family: 'Kitson' }, options: { postSearch: true } })
same(posted.entry.map((one) => one.resource.id), [id])
const inside = await client.search({ resourceType: 'Observation', compartment: { resourceType, id }, searchParams: { _count: 50 } })
same(inside.entry.length, 12)
const whole = await client.systemSearch({ searchParams: { _type: 'Patient', _id: id } })
same(whole.entry.length, 1)
const everything = await client.operation({ name: 'everything', resourceType, id, method: 'GET' })
same(everything.entry.length, 13)
const judged = await client.operation({ name: 'validate', resourceType, input: { resourceType, gender: 'F' } })
same(judged.issue[0].severity, 'error')

same((await client.history({ resourceType, id })).entry.length, 4)
same((await client.history({ resourceType: 'Observation' })).entry.length, 12)
same((await client.history({})).entry.length > 12, true)
await refused(client.read({ resourceType, id: 'absent' }), 404, 'absent')
await refused(client.search({ resourceType, searchParams: { colour: 'red' } }), 400, 'unknown parameter')
await client.delete({ resourceType: 'Observation', id: [...seen][0] })
await refused(client.read({ resourceType: 'Observation', id: [...seen][0] }), 410, 'gone')
done('fhir-kit-client')
