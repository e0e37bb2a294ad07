/**
 * Objects whose members are made when they are first asked for: what a request never touches costs it nothing. The
 * table of makers is read once; an object costs one allocation, however many members it may come to have.
 */

/** How each member is made, out of what is given and of the other members, in any order but a circle. */
export type Makers<Given extends object, Made extends object> = {
  readonly [Name in Exclude<keyof Made, keyof Given>]: (on: Given & Made) => Made[Name];
};

/** Members are not the object's own properties until they are made: do not spread such an object. */
export function lazily<Given extends object, Made extends object>(
  makers: Makers<Given, Made>,
): (given: Given) => Given & Made {
  const prototype = Object.create(null, gettersOf(makers)) as Given & Made;
  return (given) => Object.assign(Object.create(prototype) as Given & Made, given);
}

function gettersOf<Given extends object, Made extends object>(
  makers: Makers<Given, Made>,
): PropertyDescriptorMap {
  const names = Object.keys(makers) as (keyof Makers<Given, Made> & string)[];
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        get(this: Given & Made) {
          const value = makers[name](this);
          Object.defineProperty(this, name, { value });
          return value;
        },
      },
    ]),
  );
}
