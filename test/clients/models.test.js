// InvokeModel bodies of every family of models, through the AWS SDK.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvokeModelCommand, InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { chunks, connect, json, messages } from './aws.js'
import { hops, nova, profile, region } from './serve.js'

const prompt = 'What goes with rice?'

// families are a model of each, the body it takes, and where its answers have their
// text, whole and in each piece.
const families = {
  Anthropic: {
    region, modelId: profile,
    body: messages(prompt),
    text: (answer) => answer.content[0].text,
    piece: (e) => e.delta?.text,
  },
  Nova: {
    region, modelId: nova,
    body: { messages: [{ role: 'user', content: [{ text: prompt }] }], inferenceConfig: { maxTokens: 500 } },
    text: (answer) => answer.output.message.content[0].text,
    piece: (e) => e.contentBlockDelta?.delta.text,
  },
  Titan: {
    region: 'ap-south-1', modelId: 'amazon.titan-text-express-v1',
    body: { inputText: prompt, textGenerationConfig: { maxTokenCount: 500 } },
    text: (answer) => answer.results[0].outputText,
    piece: (e) => e.outputText,
  },
  Llama: {
    region: 'ap-south-1', modelId: 'meta.llama3-8b-instruct-v1:0',
    body: { prompt, max_gen_len: 500 },
    text: (answer) => answer.generation,
    piece: (e) => e.generation,
  },
  Mistral: {
    region: 'ap-south-1', modelId: 'mistral.mistral-7b-instruct-v0:2',
    body: { prompt: `<s>[INST] ${prompt} [/INST]`, max_tokens: 500 },
    text: (answer) => answer.outputs[0].text,
    piece: (e) => e.outputs[0].text,
  },
  OpenAI: {
    region: 'ap-south-1', modelId: 'openai.gpt-oss-20b-1:0',
    body: { messages: [{ role: 'user', content: prompt }], max_completion_tokens: 500 },
    text: (answer) => answer.choices[0].message.content,
    piece: (e) => e.choices[0]?.delta.content,
  },
}

for (const [name, start] of Object.entries(hops)) {
  test(`models through ${name}`, async (t) => {
    const server = await start(t)
    for (const [family, { region, modelId, body, text, piece }] of Object.entries(families)) {
      await t.test(`${family}, plain and streamed`, async () => {
        const client = connect(t, { ...server, region })
        const input = { modelId, contentType: 'application/json', body: JSON.stringify(body) }
        const plain = await client.send(new InvokeModelCommand(input))
        const whole = text(json(plain.body))
        assert.match(whole, /What goes with rice\?/)
        const said = await chunks(await client.send(new InvokeModelWithResponseStreamCommand(input)))
        const pieces = said.map(piece).filter(Boolean)
        assert.ok(pieces.length >= 5, `${pieces.length} pieces`)
        assert.equal(pieces.join(''), whole)
        const { inputTokenCount, outputTokenCount } = said.at(-1)['amazon-bedrock-invocationMetrics']
        assert.equal(String(inputTokenCount), plain.$metadata.headers['x-amzn-bedrock-input-token-count'])
        assert.equal(String(outputTokenCount), plain.$metadata.headers['x-amzn-bedrock-output-token-count'])
      })
    }
  })
}
