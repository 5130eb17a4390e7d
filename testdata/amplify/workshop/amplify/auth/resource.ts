import { defineAuth } from "@aws-amplify/backend";

export const auth = defineAuth({
  loginWith: {
    email: {
      verificationEmailStyle: "CODE",
      verificationEmailSubject: "Welcome",
      verificationEmailBody: (createCode) => `Use this code: ${createCode()}`,
    },
  },
});
