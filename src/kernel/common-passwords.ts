/**
 * Passwords that are guessed first. Only those of at least twelve characters matter here, and these are nearly all
 * made in a few ways: one or two common words with digits or marks around them, one piece repeated, or a walk along
 * the keyboard or the alphabet. So the list holds the words, and rules cover what is made of them. Passphrases of more
 * words, or with marks between the words, are not on such lists and are let through.
 */
import { onFirstCall } from "./on-first-call";

/** Compared without letter case and with look-alike digits and marks read as letters. */
const WORDS = `
  password passwords passwort passwd passw pass passphrase passcode contrasena contrasenya motdepasse senha wachtwoord
  haslo parola salasana losenord adgangskode sifre mima parole lozinka heslo jelszo kodeord
  admin administrator adminadmin root superuser superadmin sysadmin user username guest default login logon signin
  welcome welcomeback hello helloworld hallo hola bonjour letmein letmeinnow iloveyou loveyou ilove iloveu love lover
  lovely forever always trustno trustme changeme changethis change secret secrets topsecret mysecret private access
  account server system security master test tester testing tests temp temporary demo sample example examples
  qwerty qwertz azerty qwer asdf asdfgh zxcv zxcvbn zxcvbnm qwertyuiop asdfghjkl qazwsx qazwsxedc wsx edc rfv
  monkey dragon princess sunshine shadow football baseball basketball soccer hockey tennis volleyball golf
  superman batman spiderman ironman starwars pokemon pikachu naruto sasuke michael jordan jennifer jessica ashley
  michelle nicole daniel anthony matthew andrew joshua thomas robert william charlie george maria anna anton peter
  alexander elizabeth victoria hannah samantha amanda brandon justin chelsea liverpool arsenal barcelona realmadrid
  juventus manchester united chester bayern dortmund cowboys yankees lakers steelers eagles ranger rangers
  computer internet google facebook instagram twitter youtube microsoft windows apple iphone android samsung linux
  ubuntu oracle cisco amazon github meridian company business office service support manager
  money dollar million freedom liberty peace angel angels heaven jesus christ jesuschrist god blessed faith bible
  family mother father daddy mommy mama papa sister brother baby babygirl babyboy girl boy friend friends bestfriend
  summer winter spring autumn fall january february march april may june july august september october november
  december monday tuesday wednesday thursday friday saturday sunday today tomorrow birthday christmas
  happy lucky crazy sweet sexy cute cool awesome super killer hunter master ninja pirate wizard knight warrior
  flower flowers butterfly purple orange yellow green blue red black white silver golden gold diamond
  cookie chocolate cheese pepper ginger banana apple cherry peaches coffee whiskey vodka beer pizza
  dog cat tiger lion bear wolf horse dolphin eagle falcon phoenix turtle panda kitty puppy bailey buddy max
  mustang ferrari porsche mercedes corvette camaro harley yamaha honda toyota
  america american usa england london paris berlin madrid russia moscow china india canada australia germany france
  italy spain brazil mexico newyork california texas florida chicago
  abc abcd abcde abcdef abcdefg abcdefgh abcabc xyz aaa zzz
  the my your not new old you
  thisismypassword mypassword yourpassword ilovemyself letmeinplease opensesame abrakadabra abracadabra
  player gamer game gaming minecraft fortnite roblox playstation xbox nintendo mario zelda matrix hacker hack
  blink metallica nirvana slipknot eminem rockstar music guitar
  fuck fuckyou fuckoff shit bitch asshole dick pussy
  `;
const commonWords = onFirstCall(() => new Set(WORDS.trim().split(/\s+/)));

/** Rows of keyboards and orders that fingers follow. Walks along them, either way, are common at any length. */
const WALKS = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890123456789",
  "qwertyuiopasdfghjklzxcvbnm",
  "qwertzuiopasdfghjklyxcvbnm",
  "azertyuiopqsdfghjklmwxcvbn",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
  "qazwsxedcrfvtgbyhnujmikolp",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
  "1a2b3c4d5e6f7g8h9i0j",
  "a1b2c3d4e5f6g7h8i9j0",
  "йцукенгшщзхъфывапролджэячсмитьбю",
  "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
];

const LOOK_ALIKES: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};

/** A piece of a walk shorter than this is chance. */
const WALK_PIECE_MIN = 4;

/**
 * True for a password that a guesser tries early.
 *
 * @param password in NFKC, at most 128 code points: the cost is bounded by its length
 */
export function isCommonPassword(password: string): boolean {
  const text = password.toLowerCase();
  return isRepetition(text) || isWalk(text) || isMadeOfWords(text);
}

/** On no list stands a longer one: what is refused beyond would be a rule of composition. */
const REPETITION_LENGTH_MAX = 32;

/** One piece of at most a third of the length, over and over: `aaaaaaaaaaaa`, `abc1abc1abc1`. */
function isRepetition(text: string): boolean {
  if (text.length > REPETITION_LENGTH_MAX) return false;
  for (let size = 1; size * 3 <= text.length; size += 1) {
    const piece = text.slice(0, size);
    if (piece.repeat(Math.ceil(text.length / size)).startsWith(text)) return true;
  }
  return false;
}

/** Wholly pieces of keyboard or alphabet walks. */
function isWalk(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    const length = longestWalkAt(text, at);
    if (length < Math.min(WALK_PIECE_MIN, text.length)) return false;
    at += length;
  }
  return true;
}

function longestWalkAt(text: string, at: number): number {
  let longest = 0;
  for (const walk of BOTH_WAYS) {
    let length = longest;
    while (at + length < text.length && walk.includes(text.slice(at, at + length + 1))) length += 1;
    longest = length;
  }
  return longest;
}

const BOTH_WAYS = WALKS.flatMap((walk) => [walk, [...walk].reverse().join("")]);

/** At most this many digits and marks around the words are set aside: more of them are a secret in themselves. */
const FILLER_MAX = 8;

/** One or two common words, with digits and marks before and after: `password1234`, `!Welc0meHello2026`. */
function isMadeOfWords(text: string): boolean {
  const core = text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
  if (text.length - core.length > FILLER_MAX) return false;
  const respelled = [...core].map((char) => LOOK_ALIKES[char] ?? char).join("");
  return [core, respelled].some((reading) => commonWords().has(reading) || isTwoWords(reading));
}

function isTwoWords(text: string): boolean {
  const words = commonWords();
  for (let cut = 1; cut < text.length; cut += 1) {
    if (words.has(text.slice(0, cut)) && words.has(text.slice(cut))) return true;
  }
  return false;
}
