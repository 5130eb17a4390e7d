// The AWS SDK's Bedrock Runtime client: every operation, plain and streamed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as runtime from '@aws-sdk/client-bedrock-runtime'
import { applicationProfile, chunks, connect, conversation, events, invocation, json, messages } from './aws.js'
import { hops, model, nova, png, profileArn } from './serve.js'

const {
  ApplyGuardrailCommand, ConverseCommand, ConverseStreamCommand, CountTokensCommand, InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} = runtime

const question = 'What goes with rice?'

const weather = {
  toolSpec: {
    name: 'weather',
    description: 'The weather of a city',
    inputSchema: {
      json: {
        type: 'object',
        properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 7 } },
        required: ['city', 'days'],
      },
    },
  },
}

for (const [name, start] of Object.entries(hops)) {
  test(`Bedrock Runtime through ${name}`, async (t) => {
    const server = await start(t)
    const client = connect(t, server)
    const converse = (input) => client.send(new ConverseCommand(input))
    const converseStream = async (input) => events((await client.send(new ConverseStreamCommand(input))).stream)

    await t.test('InvokeModel', async () => {
      const { body, contentType, $metadata } = await client.send(new InvokeModelCommand(invocation(question)))
      const answer = json(body)
      assert.equal(contentType, 'application/json')
      assert.match(answer.content[0].text, /What goes with rice\?/)
      assert.equal(answer.stop_reason, 'end_turn')
      assert.equal($metadata.headers['x-amzn-bedrock-input-token-count'], String(answer.usage.input_tokens))
      assert.equal($metadata.headers['x-amzn-bedrock-output-token-count'], String(answer.usage.output_tokens))
      assert.match($metadata.headers['x-amzn-bedrock-invocation-latency'], /^\d+$/)
    })

    await t.test('InvokeModelWithResponseStream gives the same text in pieces, and metrics in the last', async () => {
      const plain = json((await client.send(new InvokeModelCommand(invocation(question)))).body)
      const answer = await client.send(new InvokeModelWithResponseStreamCommand(invocation(question)))
      assert.equal(answer.contentType, 'application/json')
      const said = await chunks(answer)
      const deltas = said.filter((e) => e.type === 'content_block_delta')
      assert.ok(deltas.length >= 5, `${deltas.length} deltas`)
      assert.equal(deltas.map((e) => e.delta.text).join(''), plain.content[0].text)
      assert.equal(said[0].type, 'message_start')
      assert.equal(said.at(-1).type, 'message_stop')
      const metrics = said.at(-1)['amazon-bedrock-invocationMetrics']
      assert.equal(metrics.inputTokenCount, plain.usage.input_tokens)
      assert.equal(metrics.outputTokenCount, plain.usage.output_tokens)
    })

    await t.test('Converse', async () => {
      const answer = await converse(conversation(question))
      assert.match(answer.output.message.content[0].text, /What goes with rice\?/)
      assert.equal(answer.stopReason, 'end_turn')
      assert.equal(answer.usage.totalTokens, answer.usage.inputTokens + answer.usage.outputTokens)
      assert.ok(answer.metrics.latencyMs > 0)
    })

    await t.test('ConverseStream gives the same text in pieces', async () => {
      const plain = await converse(conversation(question))
      const said = await converseStream(conversation(question))
      const deltas = said.flatMap((e) => e.contentBlockDelta ?? [])
      assert.ok(deltas.length >= 5, `${deltas.length} deltas`)
      assert.equal(deltas.map((e) => e.delta.text).join(''), plain.output.message.content[0].text)
      assert.equal(said[0].messageStart.role, 'assistant')
      assert.equal(said.at(-2).messageStop.stopReason, 'end_turn')
      assert.deepEqual(said.at(-1).metadata.usage, plain.usage)
    })

    await t.test('Converse with a system prompt', async () => {
      const answer = await converse({ ...conversation(question), system: [{ text: 'Be very brief.' }] })
      assert.match(answer.output.message.content[0].text, /Words in the system prompt: 3/)
    })

    await t.test('Converse with an image and a document', async () => {
      const text = await converse(conversation('What is this?'))
      for (const attached of [
        { image: { format: 'png', source: { bytes: Buffer.from(png, 'base64') } } },
        { document: { format: 'txt', name: 'recipe', source: { bytes: Buffer.from('Boil the rice.') } } },
      ]) {
        const answer = await converse({
          ...conversation(), messages: [{ role: 'user', content: [attached, { text: 'What is this?' }] }],
        })
        assert.match(answer.output.message.content[0].text, /What is this\?/)
        assert.ok(answer.usage.inputTokens > text.usage.inputTokens, `${Object.keys(attached)} costs no tokens`)
      }
    })

    await t.test('Converse with a limit and with a stop sequence', async () => {
      const limited = await converse({ ...conversation(question), inferenceConfig: { maxTokens: 5 } })
      assert.equal(limited.stopReason, 'max_tokens')
      assert.equal(limited.usage.outputTokens, 5)
      const stopped = await converse({ ...conversation(question), inferenceConfig: { stopSequences: ['model ran'] } })
      assert.equal(stopped.stopReason, 'stop_sequence')
      assert.match(stopped.output.message.content[0].text, /no $/)
    })

    await t.test('Converse with thinking, plain and streamed', async () => {
      const thinking = {
        ...conversation(question),
        inferenceConfig: { maxTokens: 4000 },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } },
      }
      const [thought, answer] = (await converse(thinking)).output.message.content
      assert.ok(thought.reasoningContent.reasoningText.signature)
      const deltas = (await converseStream(thinking)).flatMap((e) => e.contentBlockDelta?.delta ?? [])
      const reasoning = deltas.flatMap((d) => d.reasoningContent ?? [])
      assert.equal(reasoning.map((r) => r.text ?? '').join(''), thought.reasoningContent.reasoningText.text)
      assert.ok(reasoning.at(-1).signature)
      assert.equal(deltas.map((d) => d.text ?? '').join(''), answer.text)
    })

    await t.test('Converse with a cache point', async () => {
      const { stopReason, usage } = await converse({ ...conversation(question), system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default' } }] })
      assert.equal(stopReason, 'end_turn')
      assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens + usage.cacheReadInputTokens + usage.cacheWriteInputTokens)
    })

    await t.test('Converse with an output format', async () => {
      const schema = { type: 'object', properties: { dish: { type: 'string' } }, required: ['dish'], additionalProperties: false }
      const { output } = await converse({
        ...conversation('A dish'),
        outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'dish', schema: JSON.stringify(schema) } } } },
      })
      assert.equal(typeof JSON.parse(output.message.content[0].text).dish, 'string')
    })

    await t.test('a guardrail is never dropped', async () => {
      const guardrail = { guardrailIdentifier: 'gr1', guardrailVersion: '1' }
      for (const command of [
        new InvokeModelCommand({ ...invocation(question), ...guardrail }),
        new InvokeModelWithResponseStreamCommand({ ...invocation(question), ...guardrail }),
        new ConverseCommand({ ...conversation(question), guardrailConfig: guardrail }),
        new ConverseStreamCommand({ ...conversation(question), guardrailConfig: guardrail }),
      ]) {
        await assert.rejects(client.send(command), (err) => {
          assert.ok(err instanceof runtime.ValidationException, err)
          assert.match(err.message, /simulated regions have none/)
          return true
        })
      }
    })

    for (const [family, modelId] of Object.entries({ 'a Claude': undefined, 'another model': nova })) {
      await t.test(`tools of ${family}`, async () => {
        const asked = conversation('Weather?', modelId)
        const forced = { ...asked, toolConfig: { tools: [weather], toolChoice: { any: {} } } }
        const plain = await converse(forced)
        assert.equal(plain.stopReason, 'tool_use')
        const { toolUse } = plain.output.message.content.at(-1)
        assert.equal(toolUse.name, 'weather')
        assert.equal(typeof toolUse.input.city, 'string')
        assert.ok(toolUse.input.days >= 1 && toolUse.input.days <= 7, toolUse.input.days)

        const said = await converseStream(forced)
        const input = said.flatMap((e) => e.contentBlockDelta?.delta.toolUse?.input ?? []).join('')
        assert.deepEqual(JSON.parse(input), toolUse.input)
        assert.equal(said.find((e) => e.contentBlockStart).contentBlockStart.start.toolUse.name, 'weather')

        const result = { toolUseId: toolUse.toolUseId, content: [{ json: { sky: 'clear' } }] }
        const answered = await converse({
          ...asked,
          toolConfig: { tools: [weather] },
          messages: [...asked.messages, plain.output.message, { role: 'user', content: [{ toolResult: result }] }],
        })
        assert.equal(answered.stopReason, 'end_turn')
      })
    }

    await t.test('CountTokens is what the call then takes', async () => {
      const { modelId, ...asked } = conversation(question)
      const { usage } = json((await client.send(new InvokeModelCommand(invocation(question)))).body)
      for (const input of [
        { invokeModel: { body: Buffer.from(JSON.stringify(messages(question))) } },
        { converse: asked },
      ]) {
        assert.equal((await client.send(new CountTokensCommand({ modelId, input }))).inputTokens, usage.input_tokens)
      }
    })

    await t.test('a profile by its ARN', async () => {
      assert.equal((await converse(conversation('Hello', profileArn))).stopReason, 'end_turn')
      assert.ok((await converseStream(conversation('Hello', profileArn))).at(-1).metadata)
      const answer = await client.send(new InvokeModelCommand(invocation('Hello', profileArn)))
      assert.equal(json(answer.body).stop_reason, 'end_turn')
    })

    await t.test('an application profile, by ARN and by id', async () => {
      const arn = await applicationProfile(server)
      for (const modelId of [arn, arn.split('/').at(-1)]) {
        assert.equal((await converse(conversation('Hello', modelId))).stopReason, 'end_turn')
        const answer = await client.send(new InvokeModelWithResponseStreamCommand(invocation('Hello', modelId)))
        assert.equal((await chunks(answer)).at(-1).type, 'message_stop')
      }
    })

    await t.test('a model by its ARN, in the region that the signature is for', async () => {
      const elsewhere = connect(t, { ...server, region: 'ap-southeast-2' })
      const modelId = 'arn:aws:bedrock:ap-southeast-2::foundation-model/amazon.nova-pro-v1:0'
      const answer = await elsewhere.send(new ConverseCommand(conversation('Hello', modelId)))
      assert.equal(answer.stopReason, 'end_turn')
      assert.equal(answer.$metadata.headers['x-fairway-destination-region'], 'ap-southeast-2')
    })

    await t.test('a bare model that only a profile reaches', async () => {
      await assert.rejects(converse(conversation('Hello', model)), (err) => {
        assert.ok(err instanceof runtime.ValidationException, err)
        assert.match(err.message, /with on-demand throughput isn’t supported/)
        return true
      })
    })

    await t.test('an operation that is not here', async () => {
      const guardrail = { guardrailIdentifier: 'gr1', guardrailVersion: '1', source: 'INPUT', content: [{ text: { text: 'Hello' } }] }
      await assert.rejects(client.send(new ApplyGuardrailCommand(guardrail)), { name: 'UnknownOperationException' })
    })
  })
}
