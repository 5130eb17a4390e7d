// What a define function returns, Amplify's ConstructFactory: defineBackend gets
// the instance under the name that the resource is given there.
class Resource {
  constructor(getInstance, record = {}) {
    this.getInstance = getInstance;
    this.record = record;
  }
}

module.exports = { Resource };
