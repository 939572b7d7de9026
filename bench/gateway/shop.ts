import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, parse } from 'graphql';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@provides", "@shareable"])\n';

const SENTENCE = 'The parcel came on the second day, well packed, and did what its maker said of it. ';

const users = ['Ama', 'Bela', 'Chidi', 'Dora', 'Emre', 'Femi'].map((name, i) => ({
  id: String(i + 1),
  name: `${name} Example`,
  username: name.toLowerCase(),
  birthday: 1_000 + i,
}));
const products = ['Table', 'Couch', 'Chair', 'Lamp', 'Shelf', 'Rug', 'Desk', 'Bed', 'Clock'].map((name, i) => ({
  upc: String(i + 1),
  name,
  price: 100 + 37 * i,
  weight: 50 * (i + 1),
  inStock: i % 3 !== 1,
}));
const reviews = [1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4].map((upc, i) => ({
  id: String(i + 1),
  body: SENTENCE.repeat(1 + ((i * 3) % 7)),
  product: { upc: String(upc) },
}));

const author = () => ({ ...users[0], reviews: reviews.slice(0, 2) });
const reviewsOf = ({ upc }: { upc: string }) => reviews.filter(({ product }) => product.upc === upc);

/** The four subgraphs of the public gateway benchmark: small, in memory, and tied to each other in circles. */
export const SUBGRAPHS: Record<string, { typeDefs: string; resolvers: Record<string, unknown> }> = {
  accounts: {
    typeDefs: `${LINK}
      type Query { me: User user(id: ID!): User users: [User] }
      type User @key(fields: "id") { id: ID! name: String username: String @shareable birthday: Int }`,
    resolvers: {
      Query: {
        me: () => users[0],
        user: (_: unknown, { id }: { id: string }) => users.find((user) => user.id === id),
        users: () => users,
      },
      User: { __resolveReference: ({ id }: { id: string }) => users.find((user) => user.id === id) },
    },
  },
  inventory: {
    typeDefs: `${LINK}
      type Product @key(fields: "upc") {
        upc: String! weight: Int @external price: Int @external inStock: Boolean
        shippingEstimate: Int @requires(fields: "price weight") }`,
    resolvers: {
      Product: {
        __resolveReference: (told: { upc: string }) => ({ ...told, ...products.find(({ upc }) => upc === told.upc) }),
        shippingEstimate: ({ price, weight }: { price: number; weight: number }) =>
          price > 1_000 ? 0 : Math.round(weight / 2),
      },
    },
  },
  products: {
    typeDefs: `${LINK}
      type Query { topProducts(first: Int = 5): [Product] }
      type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }`,
    resolvers: {
      Query: { topProducts: (_: unknown, { first }: { first: number }) => products.slice(0, first) },
      Product: { __resolveReference: ({ upc }: { upc: string }) => products.find((product) => product.upc === upc) },
    },
  },
  reviews: {
    typeDefs: `${LINK}
      type Review @key(fields: "id") { id: ID! body: String product: Product author: User @provides(fields: "username") }
      type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] }
      type Product @key(fields: "upc") { upc: String! reviews: [Review] }`,
    resolvers: {
      Review: {
        __resolveReference: ({ id }: { id: string }) => reviews.find((review) => review.id === id),
        author,
      },
      User: { __resolveReference: ({ id }: { id: string }) => ({ id, reviews: reviews.slice(0, 2) }) },
      Product: { __resolveReference: ({ upc }: { upc: string }) => ({ upc }), reviews: reviewsOf },
    },
  },
};

export const schemaOf = (name: string): GraphQLSchema => {
  const { typeDefs, resolvers } = SUBGRAPHS[name] as (typeof SUBGRAPHS)[string];
  return buildSubgraphSchema({ typeDefs: parse(typeDefs), resolvers: resolvers as never });
};

/** The supergraph of the four, all behind one port. */
export function composeShop(port: number): string {
  const { supergraphSdl, errors } = composeServices(
    Object.entries(SUBGRAPHS).map(([name, { typeDefs }]) => ({
      name,
      url: `http://127.0.0.1:${port}/${name}`,
      typeDefs: parse(typeDefs),
    })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}

/** The benchmark's one big query: users and products, their reviews, the reviews' authors and products, and so on. */
export const QUERY = `
fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }
query TestQuery {
  users {
    ...User
    reviews {
      ...Review
      product {
        ...Product
        reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
      }
    }
  }
  topProducts {
    ...Product
    reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
  }
}`;
