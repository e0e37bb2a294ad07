/** `/api/users` in the document. */
import { listUsersSchema } from "../../../src/services/users";
import { type Operation, tagged } from "../operation";

const tag = "Users";
const path = "/api/users";
const changed = (description: string) =>
  [{ status: 200, description, schema: "User", example: "user", headers: ["ETag"] }] as const;

export const userOperations: readonly Operation[] = [
  {
    id: "signUp",
    method: "post",
    path,
    tag,
    summary: "Sign up",
    description:
      "Without a password the account is entered by `password/forgot` and `password/reset`. A mail to the address carries the token that verifies it.",
    access: "anyone",
    body: { schema: "SignUpInput", example: "signUp" },
    answers: [
      {
        status: 201,
        description: "The user.",
        schema: "User",
        example: "user",
        headers: ["Location", "ETag"],
      },
    ],
    errors: ["email_taken"],
    isKeyed: true,
  },
  {
    id: "listUsers",
    method: "get",
    path,
    tag,
    summary: "List users",
    access: "admin",
    query: listUsersSchema(),
    answers: [
      {
        status: 200,
        description: "A page of users.",
        schema: "User",
        isPage: true,
        example: "user",
        headers: ["Link"],
      },
    ],
  },
  {
    id: "getMe",
    method: "get",
    path: `${path}/me`,
    tag,
    summary: "Show me",
    access: "user",
    answers: tagged("User", "user", "You."),
    errors: ["not_found"],
  },
  {
    id: "getUser",
    method: "get",
    path: `${path}/{id}`,
    tag,
    summary: "Show a user",
    description: "Another user is shown to administrators alone; to everybody else it is not there.",
    access: "user",
    answers: tagged("User", "user", "The user."),
  },
  {
    id: "replaceUser",
    method: "put",
    path: `${path}/{id}`,
    tag,
    summary: "Replace a user",
    description:
      "Without `age` or `profile` they are cleared. A user's own new address takes effect when it is verified; until then it stands in `pendingEmail`. `role` is set by administrators alone.",
    access: "user",
    body: { schema: "ReplaceUserInput", example: "replaceUser" },
    answers: changed("The user as it is now."),
    errors: ["forbidden", "email_taken"],
    isKeyed: true,
    isPreconditioned: true,
  },
  {
    id: "patchUser",
    method: "patch",
    path: `${path}/{id}`,
    tag,
    summary: "Change a user",
    description:
      "A merge patch: what is absent stays, null clears. `email` and `role` as in the replacement.",
    access: "user",
    body: { schema: "PatchUserInput", example: "patchUser" },
    answers: changed("The user as it is now."),
    errors: ["forbidden", "email_taken"],
    isKeyed: true,
    isPreconditioned: true,
  },
  {
    id: "deleteUser",
    method: "delete",
    path: `${path}/{id}`,
    tag,
    summary: "Delete a user",
    description: "Its tokens are void and its address is free again.",
    access: "user",
    answers: [{ status: 204, description: "The user is gone." }],
    isKeyed: true,
    isPreconditioned: true,
  },
];
