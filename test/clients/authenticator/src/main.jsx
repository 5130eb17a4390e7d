// The sample's front end, as Amplify's own guide has it but for one import: on AWS
// it is ../amplify_outputs.json.
import { Authenticator, Button, Card, Flex, Heading, Text, TextField, View } from '@aws-amplify/ui-react'
import '@aws-amplify/ui-react/styles.css'
import { Amplify } from 'aws-amplify'
import { generateClient } from 'aws-amplify/data'
import { useState } from 'react'
import { createRoot } from 'react-dom/client'
import outputs from '../fairway_client.json'

Amplify.configure(outputs)
const client = generateClient({ authMode: 'userPool' })

function Recipes({ user, signOut }) {
  const [answer, setAnswer] = useState('')

  async function ask(event) {
    event.preventDefault()
    const ingredients = new FormData(event.target).get('ingredients').split(',').map((word) => word.trim())
    const { data, errors } = await client.queries.askBedrock({ ingredients })
    setAnswer(errors ? errors.map((error) => error.message).join('\n') : data.body)
  }

  return (
    <Card variation="elevated" maxWidth="30rem" margin="auto">
      <Flex as="form" direction="column" onSubmit={ask}>
        <Heading level={3}>What is in the fridge?</Heading>
        <TextField label="Ingredients" name="ingredients" placeholder="chicken, rice, carrots" required />
        <Button type="submit" variation="primary">Suggest recipes</Button>
        <Text as="output" whiteSpace="pre-line">{answer}</Text>
        <Flex justifyContent="space-between" alignItems="center">
          <Text variation="secondary">{user.signInDetails.loginId}</Text>
          <Button type="button" variation="link" onClick={signOut}>Sign out</Button>
        </Flex>
      </Flex>
    </Card>
  )
}

createRoot(document.getElementById('root')).render(
  <View padding="3rem">
    <Authenticator>{({ user, signOut }) => <Recipes user={user} signOut={signOut} />}</Authenticator>
  </View>,
)
