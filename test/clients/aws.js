// What the suites of the AWS SDK share.
import { BedrockClient, CreateInferenceProfileCommand } from '@aws-sdk/client-bedrock'
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import { profile, profileArn } from './serve.js'

// connect gives a runtime client that shows errors and does not retry. It leaves
// each answer's headers in its $metadata, over HTTP/2 with the pseudo-header
// :status.
export function connect(t, { endpoint, region, accessKey }, options) {
  const client = new BedrockRuntimeClient({ endpoint, region, credentials: accessKey, maxAttempts: 1, ...options })
  const keepHeaders = (next) => async (args) => {
    const result = await next(args)
    result.output.$metadata.headers = result.response.headers
    return result
  }
  client.middlewareStack.add(keepHeaders, { step: 'deserialize', priority: 'high' })
  t.after(() => client.destroy())
  return client
}

// bearer is the options of a client that shows a bearer key.
export const bearer = (token) => ({ token: { token }, authSchemePreference: ['httpBearerAuth'] })

// messages is the body of a question in Claude's own form.
export const messages = (text) => ({
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 500,
  messages: [{ role: 'user', content: text }],
})

// invocation and conversation are the input of the Invoke and of the Converse
// operations.
export const invocation = (text, modelId = profile) => ({ modelId, contentType: 'application/json', body: JSON.stringify(messages(text)) })
export const conversation = (text, modelId = profile) => ({ modelId, messages: [{ role: 'user', content: [{ text }] }] })

export const json = (bytes) => JSON.parse(Buffer.from(bytes).toString())

// chunks are what the model said, of InvokeModelWithResponseStream.
export const chunks = async ({ body }) => (await events(body)).map(({ chunk }) => json(chunk.bytes))

// events are all of a stream.
export async function events(stream) {
  const all = []
  for await (const event of stream) all.push(event)
  return all
}

// applicationProfile makes one of the profile, through server, and gives its ARN.
export async function applicationProfile({ endpoint, region, accessKey }) {
  const client = new BedrockClient({ endpoint, region, credentials: accessKey })
  const { inferenceProfileArn } = await client.send(new CreateInferenceProfileCommand({
    inferenceProfileName: 'recipes', modelSource: { copyFrom: profileArn },
  }))
  client.destroy()
  return inferenceProfileArn
}
