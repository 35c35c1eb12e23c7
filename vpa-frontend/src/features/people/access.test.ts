import { describe, expect, it } from 'vitest'
import { anAccount } from '@/test/people'
import { accessOf, changesOf, differing, mergeAccess } from './access'

const base = accessOf(anAccount())

describe('the access of a user', () => {
  it('is what the account says', () => {
    expect(base).toEqual({
      driver: true,
      attendant: false,
      admin: false,
      active: true,
      permit: false,
    })
  })

  it('sends all roles when one of them changed, and nothing that did not change', () => {
    expect(changesOf(base, { ...base, attendant: true })).toEqual({
      roles: ['driver', 'attendant'],
    })
    expect(changesOf(base, { ...base, active: false, permit: true })).toEqual({
      active: false,
      accessible_permit: true,
    })
    expect(changesOf(base, base)).toEqual({})
  })

  it('keeps what was ticked here upon what somebody else saved', () => {
    const theirs = { ...base, active: false, attendant: true }
    const mine = { ...base, permit: true, attendant: true }
    expect(differing(base, theirs)).toEqual(['attendant', 'active'])
    expect(mergeAccess(base, theirs, mine)).toEqual({
      driver: true,
      attendant: true,
      admin: false,
      active: false,
      permit: true,
    })
  })
})
