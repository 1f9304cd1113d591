// What the scripts of the clients share: where the server is, and counting what holds.
import assert from 'node:assert/strict'

export const base = process.env.IRIS_FHIR
export const bearer = process.env.IRIS_BEARER

let count = 0

/** Holds that two values are the same. */
export function same(actual, expected, what) {
  assert.deepEqual(actual, expected, what)
  count += 1
}

/** Holds that a request is refused with this status. */
export async function refused(request, status, what) {
  const error = await request.then(() => undefined, (error) => error)
  const told = error?.statusCode ?? error?.response?.status ?? error?.status
  same(told, status, what)
}

/** A patient of a family. */
export const patient = (family, given) => ({
  resourceType: 'Patient', active: true, name: [{ family, given: [given] }], birthDate: '1970-01-01',
})

/** Says how many things held. */
export function done(client) {
  console.log(`${client}: ${count} checks held`)
}
