/**
 * What a GraphQL document may cost, decided before anything of it runs. A request spends one of the client's budget, so
 * its work must be bounded by its text: how deep it goes, how often it repeats itself, how many nodes it may touch.
 *
 * Cost: a field that holds others costs 1, and what is below a list costs as often as the list may have items: as many as
 * `first` asks for, else `LIST_SIZE_ASSUMED`. Fields without a selection come with their parent's row and cost nothing.
 *
 * Introspection touches no row. It goes deeper than any query of data, so it has a depth of its own; how often it may
 * descend through lists is bounded by graphql-js (`MaxIntrospectionDepthRule`).
 */
import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import { PAGE_SIZE_DEFAULT } from "./page-size";

export const LIMITS = {
  depth: 12,
  introspectionDepth: 20,
  aliases: 15,
  tokens: 2_000,
  cost: 5_000,
  /** Selections walked, fragments written out: a document that doubles itself in each fragment is stopped here. */
  selections: 20_000,
} as const;

const LIST_SIZE_ASSUMED = 10;
/** A mutation is a use case of its own, some of them with a password to hash: ten are as much as a request may ask. */
const MUTATION_COST = 500;

type Variables = Readonly<Record<string, unknown>>;

/** A sentence that says which limit the document is over; null when it is within all. */
export function overLimit(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Variables,
): string | null {
  try {
    const fragments = new Map<string, FragmentDefinitionNode>();
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    for (const definition of document.definitions)
      if (definition.kind === Kind.OPERATION_DEFINITION)
        new Walk(schema, fragments, variables).operation(definition);
    return null;
  } catch (error) {
    if (error instanceof OverLimit) return error.message;
    throw error;
  }
}

class OverLimit extends Error {}

interface Place {
  readonly type: GraphQLNamedType | undefined;
  readonly depth: number;
  readonly depthMax: number;
  /** How often what is selected here may occur. */
  readonly times: number;
  /** Items of the connection that `edges` and `nodes` here belong to. */
  readonly pageSize: number | null;
}

class Walk {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: Variables;
  readonly #open = new Set<string>();
  #aliases = 0;
  #cost = 0;
  #selections = 0;

  constructor(
    schema: GraphQLSchema,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    variables: Variables,
  ) {
    this.#schema = schema;
    this.#fragments = fragments;
    this.#variables = variables;
  }

  operation({ operation, selectionSet, variableDefinitions }: OperationDefinitionNode): void {
    const type = this.#schema.getRootType(operation) ?? undefined;
    for (const { variable, defaultValue } of variableDefinitions ?? [])
      if (defaultValue?.kind === Kind.INT)
        this.#defaults.set(variable.name.value, Number(defaultValue.value));
    this.#walk(selectionSet, { type, depth: 1, depthMax: LIMITS.depth, times: 1, pageSize: null });
    // Last, for what is too deep costs much as well, and depth says more.
    if (this.#cost > LIMITS.cost)
      throw new OverLimit(
        `The operation costs more than ${LIMITS.cost}: ask for fewer or smaller lists, or less below them.`,
      );
  }

  readonly #defaults = new Map<string, number>();

  #walk(set: SelectionSetNode, place: Place): void {
    if (place.depth > place.depthMax) throw new OverLimit(`The operation is deeper than ${place.depthMax}.`);
    for (const selection of set.selections) {
      this.#selections += 1;
      if (this.#selections > LIMITS.selections) throw new OverLimit("The operation selects too much.");
      switch (selection.kind) {
        case Kind.FIELD:
          this.#field(selection, place);
          break;
        case Kind.INLINE_FRAGMENT: {
          const type = this.#typeOf(selection.typeCondition?.name.value, place);
          this.#walk(selection.selectionSet, { ...place, type, depth: place.depth + 1 });
          break;
        }
        case Kind.FRAGMENT_SPREAD:
          this.#spread(selection.name.value, place);
          break;
      }
    }
  }

  /** Cyclic fragments are the validation's to name; here they must only come to an end. */
  #spread(name: string, place: Place): void {
    const fragment = this.#fragments.get(name);
    if (fragment === undefined || this.#open.has(name)) return;
    this.#open.add(name);
    const type = this.#typeOf(fragment.typeCondition.name.value, place);
    this.#walk(fragment.selectionSet, { ...place, type, depth: place.depth + 1 });
    this.#open.delete(name);
  }

  #field(field: FieldNode, place: Place): void {
    if (field.alias !== undefined) {
      this.#aliases += 1;
      if (this.#aliases > LIMITS.aliases)
        throw new OverLimit(`The operation has more than ${LIMITS.aliases} aliases.`);
    }
    // Here, not where the operation begins: a fragment may hold mutations as well.
    if (place.type !== undefined && place.type === this.#schema.getMutationType())
      this.#charge(MUTATION_COST);
    if (field.selectionSet === undefined) return;
    const name = field.name.value;
    const isIntrospection = name === "__schema" || name === "__type";
    if (isIntrospection) {
      const depth = place.depth + 1;
      this.#walk(field.selectionSet, {
        ...{ type: undefined, depth, depthMax: LIMITS.introspectionDepth },
        ...{ times: 0, pageSize: null },
      });
      return;
    }
    this.#charge(place.times);
    const definition = isObjectType(place.type) ? place.type.getFields()[name] : undefined;
    const size = this.#listSizeOf(field, definition, place);
    this.#walk(field.selectionSet, {
      type: definition === undefined ? undefined : getNamedType(definition.type),
      depth: place.depth + 1,
      depthMax: place.depthMax,
      times: place.times * size.items,
      pageSize: size.page,
    });
  }

  #charge(amount: number): void {
    this.#cost += amount;
  }

  #listSizeOf(field: FieldNode, definition: GraphQLField<unknown, unknown> | undefined, place: Place) {
    const takesFirst = definition?.args.some(({ name }) => name === "first") === true;
    if (takesFirst) {
      const first = field.arguments?.find(({ name }) => name.value === "first");
      return { items: 1, page: this.#numberOf(first) };
    }
    const type = definition && isNonNullType(definition.type) ? definition.type.ofType : definition?.type;
    if (!isListType(type)) return { items: 1, page: null };
    return { items: place.pageSize ?? LIST_SIZE_ASSUMED, page: null };
  }

  /** What is no number within bounds is refused by the list's own rules; it must only not cost less than nothing. */
  #numberOf(first: ArgumentNode | undefined): number {
    const value = first?.value;
    const number =
      value?.kind === Kind.INT
        ? Number(value.value)
        : value?.kind === Kind.VARIABLE
          ? (this.#variables[value.name.value] ?? this.#defaults.get(value.name.value))
          : undefined;
    return typeof number === "number" && number >= 0 ? number : PAGE_SIZE_DEFAULT;
  }

  #typeOf(condition: string | undefined, { type }: Place): GraphQLNamedType | undefined {
    if (condition === undefined) return type;
    const named = this.#schema.getType(condition);
    return isCompositeType(named) ? named : undefined;
  }
}
