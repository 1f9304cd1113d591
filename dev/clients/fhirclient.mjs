// `fhirclient` (SMART on FHIR's JavaScript client) against the running server: create, read, update, patch, search with its own
// paging, history, a transaction, references followed by path, delete.
import FHIR from 'fhirclient'
import { base, bearer, done, patient, refused, same } from './check.mjs'

// Its client for SMART apps, which would come out of a launch, is made with the token that we have.
const smart = FHIR({ headers: {}, url: '/' }, { setHeader() {} })
const client = smart.client({ serverUrl: base, tokenResponse: { token_type: 'Bearer', access_token: bearer.replace('Bearer ', '') } })

const statement = await client.request('metadata')
same(statement.resourceType, 'CapabilityStatement')
same(await client.getFhirVersion(), '4.0.1')
same(await client.getFhirRelease(), 4)

const made = await client.create(patient('Clientson', 'Ada'))
same(made.meta.versionId, '1')
same((await client.request(`Patient/${made.id}`)).name[0].family, 'Clientson')
const updated = await client.update({ ...made, active: false })
same([updated.meta.versionId, updated.active], ['2', false])
const patched = await client.patch(`Patient/${made.id}`, [{ op: 'replace', path: '/active', value: true }])
same([patched.meta.versionId, patched.active], ['3', true])
same((await client.request(`Patient/${made.id}/_history/1`)).active, true)
same((await client.request(`Patient/${made.id}/_history`)).entry.length, 3)

const bundle = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: Array.from({ length: 25 }, (_, at) => ({
    resource: patient('Pageson', `Number ${at}`),
    request: { method: 'POST', url: 'Patient' },
  })),
}
const answer = await client.request({
  url: '/', method: 'POST', body: JSON.stringify(bundle), headers: { 'content-type': 'application/fhir+json' },
})
same(answer.entry.length, 25)
const all = await client.request('Patient?family=Pageson&_count=7', { pageLimit: 0, flat: true })
same(new Set(all.map((one) => one.id)).size, 25)

const observation = await client.create({
  resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${made.id}` },
})
const followed = await client.request(`Observation/${observation.id}`, { resolveReferences: 'subject' })
same(followed.subject.name[0].family, 'Clientson')
const whole = await client.request(`Observation?subject=Patient/${made.id}&_include=Observation:subject`, { flat: true })
same(whole.map((one) => one.resourceType).sort(), ['Observation', 'Patient'])

await refused(client.request('Patient/absent'), 404, 'absent')
await refused(client.request('Patient?colour=red'), 400, 'unknown parameter')
await refused(client.create({ resourceType: 'Patient', gender: 'F' }), 422, 'invalid')
await client.delete(`Observation/${observation.id}`)
await refused(client.request(`Observation/${observation.id}`), 410, 'gone')
done('fhirclient')
