({
  Status: a.enum(['OPEN', 'CLOSED']),
  Geo: a.customType({ lat: a.float().required(), extra: a.customType({ note: a.string() }) }),
  Todo: a.model({ content: a.string(), done: a.boolean(), status: a.ref('Status'), geo: a.ref('Geo'), tags: a.string().array() }).authorization((allow) => [allow.owner()]),
  Post: a.model({ title: a.string().required(), body: a.string(), comments: a.hasMany('Comment', 'postId') }).authorization((allow) => [allow.publicApiKey().to(['read']), allow.owner(), allow.group('Admin')]),
  Comment: a.model({ text: a.string(), postId: a.id(), post: a.belongsTo('Post', 'postId') }).authorization((allow) => [allow.authenticated()]),
  Message: a.customType({ content: a.string().required(), channel: a.string().required() }),
  publish: a.mutation().arguments({ channel: a.string().required(), content: a.string().required() }).returns(a.ref('Message')).authorization((allow) => [allow.publicApiKey()]).handler(a.handler.custom({ entry: './publish.js' })),
  receive: a.subscription().for(a.ref('publish')).arguments({ prefix: a.string() }).authorization((allow) => [allow.publicApiKey()]).handler(a.handler.custom({ entry: './receive.js' })),
  bump: a.mutation().arguments({ id: a.id().required() }).returns(a.ref('Todo')).authorization((allow) => [allow.authenticated()]).handler(a.handler.custom({ dataSource: a.ref('Todo'), entry: './bump.js' })),
  list3: a.query().returns(a.ref('Geo').required().array()).authorization((allow) => [allow.publicApiKey()]).handler(a.handler.custom({ entry: './list3.js' })),
  hi: a.query().arguments({ p: a.string().required() }).returns(a.string()).authorization((allow) => [allow.authenticated()]).handler(a.handler.function(fnProvider)),
  pipe: a.query().arguments({ p: a.string() }).returns(a.string()).authorization((allow) => [allow.authenticated(), allow.publicApiKey()]).handler([a.handler.custom({ entry: './one.js' }), a.handler.custom({ entry: './two.js', dataSource: 'bedrockDS' })]),
})
