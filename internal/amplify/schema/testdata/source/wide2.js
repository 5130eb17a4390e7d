({
  Recipe: a.customType({ name: a.string(), ingredients: a.string().array() }),
  generateRecipe: a.generation({ aiModel: a.ai.model('Claude 3.5 Haiku'), systemPrompt: 'You make recipes.' }).arguments({ description: a.string() }).returns(a.ref('Recipe')).authorization((allow) => allow.authenticated()),
  getWeather: a.query().arguments({ city: a.string().required() }).returns(a.string()).authorization((allow) => allow.authenticated()).handler(a.handler.custom({ entry: './weather.js' })),
  chat: a.conversation({ aiModel: a.ai.model('Claude 3.5 Haiku'), systemPrompt: 'You are helpful', tools: [a.ai.dataTool({ name: 'weather', description: 'get weather', query: a.ref('getWeather') })] }).authorization((allow) => allow.owner()),
})
