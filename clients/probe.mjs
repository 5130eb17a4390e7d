import { describe, before, after, test } from 'node:test'
import { dev, project, run } from './fairway.js'
import { BedrockRuntimeClient, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
describe('x', () => {
  let o
  before(async (t) => {
    console.log('ctx', t && Object.keys(Object.getPrototypeOf(t)), t?.constructor?.name, typeof t?.after)
  })
  test('y', async (t) => {
    const d = await dev(t, await project(t)); o = d.outputs
    const client = new BedrockRuntimeClient({ endpoint: o.endpoint, region: o.region, credentials: { accessKeyId: o.aws.access_key_id, secretAccessKey: o.aws.secret_access_key }, maxAttempts: 1 })
    console.log(client.config.requestHandler?.constructor?.name)
    client.middlewareStack.add((next) => async (args) => {
      const r = await next(args)
      r.output.$metadata.headers = r.response.headers
      return r
    }, { step: 'deserialize', priority: 'high' })
    const call = async (modelId, c = client) => { try { const r = await c.send(new InvokeModelCommand({ modelId, contentType: 'application/json', body: JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 200, messages: [{ role: 'user', content: 'rice' }] }) })); console.log(JSON.parse(r.body.transformToString()), r.$metadata) } catch (e) { console.log(e.name, e.message, e.$metadata, e.constructor.name) } }
    const p = 'apac.anthropic.claude-sonnet-4-20250514-v1:0'
    await call(p)
    await call(`arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/${p}`)
    await call('nope.model-v1:0')
    console.log(await run('regions', 'down', 'ap-southeast-1', '--url', o.endpoint))
    await call(p)
    const bad = new BedrockRuntimeClient({ endpoint: o.endpoint, region: o.region, credentials: { accessKeyId: o.aws.access_key_id, secretAccessKey: 'x' }, maxAttempts: 1 })
    await call(p, bad)
    console.log(await run('regions', 'throttle', ...'ap-southeast-1 ap-northeast-1 ap-southeast-2 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-4'.split(' '), '--url', o.endpoint))
    await call(p)
    client.destroy(); bad.destroy()
  })
})
