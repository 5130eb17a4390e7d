import { test } from 'node:test'
import { Amplify } from 'aws-amplify'
import { generateClient } from 'aws-amplify/data'
import { dev, project } from './fairway.js'
test('x', async (t) => {
  const f = await dev(t, project())
  const { data, ...rest } = f.amplifyOutputs
  Amplify.configure({ ...rest, data: { ...data, api_key: 'da2-unknown' } })
  const { errors: [e] } = await generateClient().queries.askBedrock({ ingredients: ['a'] }, { authMode: 'apiKey' })
  console.log(e.name, e.message, e.originalError?.name, e.originalError?.response, Object.getOwnPropertyNames(e), e.originalError?.constructor.name, e.recoverySuggestion)
})
