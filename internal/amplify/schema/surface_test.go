package schema_test

import (
	"strings"
	"testing"
)

const wideModels = `({
  Kind: a.enum(['A', 'B']),
  Size: a.customType({ w: a.integer(), unit: a.enum(['MM', 'IN']), inner: a.customType({ note: a.string() }) }),
  Shop: a.model({
    region: a.string().required(), no: a.integer().required(), kind: a.ref('Kind').required(), kinds: a.ref('Kind').array(),
    size: a.ref('Size'), sizes: a.ref('Size').array().required(), rank: a.float().default(1.5),
    items: a.hasMany('Item', ['shopRegion', 'shopNo', 'shopKind']),
  }).identifier(['region', 'no', 'kind']).secondaryIndexes((i) => [i('region').sortKeys(['no', 'rank']).name('byRank'), i('kind').queryField(null), i('region')])
    .authorization((l) => [l.ownerDefinedIn('keeper'), l.ownersDefinedIn('helpers'), l.guest().to(['get'])]),
  Item: a.model({
    shopRegion: a.string(), shopNo: a.integer(), shopKind: a.string(), shop: a.belongsTo('Shop', ['shopRegion', 'shopNo', 'shopKind']),
    id: a.id(), label: a.hasOne('Label', 'itemId'), secret: a.string().authorization((l) => l.group('Admin')),
  }).authorization((l) => [l.publicApiKey()]).disableOperations(['subscriptions', 'delete', 'list']),
  Label: a.model({ itemId: a.id(), item: a.belongsTo('Item', 'itemId'), createdAt: a.datetime() })
    .authorization((l) => [l.custom(), l.authenticated('oidc')]).disableOperations(['queries', 'mutations', 'onCreate', 'onUpdate', 'onDelete']),
})`

func TestWideModels(t *testing.T) {
	wide := strings.Replace(wideModels, "shopKind: a.string()", "shopKind: a.enum(['A', 'B'])", 1)
	if _, err := build(t, compiled(t), wide); err == nil || !strings.Contains(err.Error(), "reference field 'shopKind' must be defined on Item") {
		t.Errorf("Build with an enum as reference field = error %v", err)
	}
	wide = strings.NewReplacer(", 'shopKind'", "", ", 'kind'", "").Replace(wideModels)
	built, err := build(t, compiled(t), wide)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`region: String! @primaryKey(sortKeyFields: ["no"]) @index(name: "byRank", sortKeyFields: ["no", "rank"], queryField: "listShopByRegionAndNoAndRank") @index(queryField: "listShopByRegion")`,
		`kind: Kind! @index(queryField: null)`,
		`rank: Float @default(value: "1.5")`,
		`items: [Item] @hasMany(references: ["shopRegion","shopNo"])`,
		`type Item @model(subscriptions:null,mutations:{delete:null},queries:{list:null}) @auth(rules: [{allow: public, provider: apiKey}])`,
		`secret: String @auth(rules: [{allow: groups, groups: ["Admin"]}])`,
		`id: ID! @primaryKey`,
	} {
		if !strings.Contains(built.SDL, want) {
			t.Errorf("SDL lacks %s:\n%s", want, built.SDL)
		}
	}
	sdl := built.Deploy(amplifyAuth)
	if _, err := load(sdl); err != nil {
		t.Fatalf("Deploy() does not load: %v\n%s", err, sdl)
	}
	for _, want := range []string{
		"getShop(region: String!, no: Int!): Shop @aws_iam @aws_cognito_user_pools",
		"listShops(region: String, no: ModelIntKeyConditionInput, filter: ModelShopFilterInput, limit: Int, nextToken: String, sortDirection: ModelSortDirection): ModelShopConnection",
		"listShopByRegionAndNoAndRank(region: String!, noRank: ModelShopByRankCompositeKeyConditionInput, sortDirection: ModelSortDirection, filter: ModelShopFilterInput, limit: Int, nextToken: String): ModelShopConnection",
		"onCreateShop(filter: ModelSubscriptionShopFilterInput, keeper: String): Shop",
		"secret: String @aws_iam @aws_cognito_user_pools",
		"type Item @aws_api_key @aws_iam {\n  shopRegion: String\n  shopNo: Int\n",
		"  id: ID!\n  label: Label\n",
		"type Label @aws_iam @aws_oidc @aws_lambda {",
		"input SizeInnerInput {",
	} {
		if !strings.Contains(sdl, want) {
			t.Errorf("Deploy() lacks %s:\n%s", want, sdl)
		}
	}
	for _, unwanted := range []string{"deleteItem", "listItems", "onCreateItem", "getLabel", "createLabel", "@default", "@primaryKey"} {
		if strings.Contains(sdl, unwanted) {
			t.Errorf("Deploy() has %s", unwanted)
		}
	}
}
