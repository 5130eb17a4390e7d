({ Todo: a.model({ content: a.string(), done: a.boolean() }).authorization((allow) => [allow.owner()]) })
